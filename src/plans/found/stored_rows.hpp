#pragma once
// Quantized weights of a checkpoint, row by row, as the runtime sees them.

#include <cstdint>
#include <optional>
#include <span>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/plans/found/found.hpp>

namespace moesweep::found {

/// Rows of all slices, one behind the other.
class StoredRows {
 public:
  /// Nothing when the module isn't quantized in a way that can be read, or has other columns.
  static std::optional<StoredRows> open(const checkpoint::Checkpoint& checkpoint,
                                        const FoundModule& module, Format format,
                                        std::int64_t columns);

  std::int64_t rows() const { return rows_; }
  /// What read() works with, kept from call to call.
  struct Buffers {
    std::vector<std::byte> bytes;
    std::vector<std::uint32_t> words;
    std::vector<std::uint8_t> codes;
    std::vector<float> scales, biases;
  };
  /// out.size() is a number of whole rows.
  void read(const checkpoint::TensorReader& reader, std::int64_t first_row, Buffers& buffers,
            std::span<float> out) const;

 private:
  const checkpoint::Tensor* codes_ = nullptr;
  const checkpoint::Tensor* scales_ = nullptr;
  const checkpoint::Tensor* biases_ = nullptr;  ///< null: codes are symmetric integers
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  int bits_ = 0;
  int group_size_ = 0;
};

}  // namespace moesweep::found
