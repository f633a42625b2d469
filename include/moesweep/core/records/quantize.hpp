#pragma once
// What a job of kind quantize has written.

#include <limits>
#include <string>
#include <tuple>

#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

/// What a tensor of the checkpoint, or a part of it, became.
struct QuantizedTensorRow {
  std::string tensor;
  std::string stored;
  std::string action;     ///< quantize, keep
  std::string quantizer;  ///< a storage format; empty unless quantized
  std::int32_t bits = 0;
  std::int32_t group_size = 0;
  std::int64_t weights = 0;
  std::int64_t bytes = 0;
  double sse = std::numeric_limits<double>::quiet_NaN();
  double sse_stored = std::numeric_limits<double>::quiet_NaN();
  double sum_squares = std::numeric_limits<double>::quiet_NaN();
  std::string shard;
};

template <>
struct TableOf<QuantizedTensorRow> {
  using Row = QuantizedTensorRow;
  static constexpr auto name = "quantize/tensors";
  static constexpr auto description =
      "Tensors of the checkpoint, or their parts, as they were written";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"tensor", &Row::tensor, "", "Tensor name in the source"},
      Column{"stored", &Row::stored, "", "Name in the written checkpoint; of the codes"},
      Column{"action", &Row::action, "", "quantize or keep"},
      Column{"quantizer", &Row::quantizer, "", "A storage format; empty unless quantized"},
      Column{"bits", &Row::bits, "bit", "Of one code; 0 unless quantized"},
      Column{"group_size", &Row::group_size, "1", "Weights that share a scale"},
      Column{"weights", &Row::weights, "1", "Number of elements"},
      Column{"bytes", &Row::bytes, "B", "Written, with scales and biases"},
      Column{"sse", &Row::sse, "1", "Sum of squared errors of codes, scales and biases"},
      Column{"sse_stored", &Row::sse_stored, "1",
             "The same of what is in the file: dequantized values are rounded to its dtype"},
      Column{"sum_squares", &Row::sum_squares, "1", "Squared Frobenius norm, NaN unless quantized"},
      Column{"shard", &Row::shard, "", "File"},
  };
};

/// A file of the written checkpoint.
struct QuantizedShardRow {
  std::string file;
  std::int64_t bytes = 0;
  std::string xxh3_128;
};

template <>
struct TableOf<QuantizedShardRow> {
  using Row = QuantizedShardRow;
  static constexpr auto name = "quantize/shards";
  static constexpr auto description = "Files with the weights of the written checkpoint";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"file", &Row::file, "", "File name"},
      Column{"bytes", &Row::bytes, "B", "Size"},
      Column{"xxh3_128", &Row::xxh3_128, "", "XXH3-128 of the file, 32 hex digits"},
  };
};

}  // namespace moesweep::records
