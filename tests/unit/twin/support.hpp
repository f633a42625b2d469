#pragma once
// Small inventories and the bytes of their twins.

#include <string>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/twin/twin.hpp>

namespace moesweep::twin::test {

inline const std::string header =
    "name,shape,dtype,analysed,excess_kurtosis,spectral_concentration\n";

/// Slices made whole with and without flattening, rows made one by one with and without a spike, a
/// tensor without statistics.
inline Inventory varied_inventory() {
  return parse_inventory(header +
                             "a.experts.gate_up_proj,4x64x96,BF16,1,1.5,0.16\n"
                             "b.weight,96x40,BF16,1,4.25,0.45\n"
                             "c.weight,300x520,BF16,1,12,0.4\n"
                             "d.experts.down_proj,3x300x500,BF16,1,0.3,0.21\n"
                             "e.norm.weight,77,BF16,0,,\n",
                         "varied.csv");
}

inline std::vector<std::byte> bytes_of(const checkpoint::Checkpoint& twin,
                                       const checkpoint::Tensor& tensor) {
  std::vector<std::byte> bytes(checked_cast<std::size_t>(tensor.bytes()));
  checkpoint::TensorReader(twin).read(tensor, 0, bytes);
  return bytes;
}

}  // namespace moesweep::twin::test
