#pragma once
// The inventory of a checkpoint: names, shapes and, where known, the statistics of its tensors.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/hash.hpp>

namespace moesweep::twin {

/// What a tensor's twin must reproduce, as the sensitivity sweep measures it (pooled over slices).
struct Statistics {
  double excess_kurtosis = 0;
  double spectral_concentration = 0;
};

struct InventoryTensor {
  std::string name;
  std::vector<std::int64_t> shape;  ///< outermost first, of the original
  std::optional<Statistics> statistics;
};

struct Inventory {
  Hash128 hash;                          ///< of the file's bytes
  std::vector<InventoryTensor> tensors;  ///< sorted by name
};

/// CSV with the header `name,shape,dtype,analysed,excess_kurtosis,spectral_concentration`; shape is
/// `512x2048x4096`, dtype BF16, analysed 0 or 1, both statistics are given exactly when it is 1.
/// Error(bad_input) naming the line for anything else: sides below 1, a name twice, kurtosis below
/// -2 or not finite, concentration outside (0, 1], no tensors, quotes.
Inventory parse_inventory(std::string_view text, const std::string& file);
/// The same of a file of at most largest_text_file bytes (base/file.hpp).
Inventory read_inventory(const std::filesystem::path& file);

}  // namespace moesweep::twin
