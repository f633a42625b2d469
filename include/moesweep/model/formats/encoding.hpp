#pragma once
// How weights are stored: a format of the catalog, settled. Words are those of the records'
// columns.

#include <compare>
#include <cstdint>
#include <string>

namespace moesweep::formats {

struct Encoding {
  std::string quantizer{};  ///< a format of the catalog; empty: kept as it is
  /// Of one code; of one element when kept.
  std::int32_t bits = 16;
  std::int32_t group_size = 0;  ///< weights that share a scale; 0 when kept

  bool keeps() const { return quantizer.empty(); }
  auto operator<=>(const Encoding&) const = default;
};

/// "affine 4 bits in groups of 64"; "16 bits" of what is kept.
std::string text_of(const Encoding& encoding);

/// Of a row that has these columns: PlanRow, DistortionRow, QuantizedTensorRow.
template <typename Row>
Encoding encoding_of(const Row& row) {
  return {row.quantizer, row.bits, row.group_size};
}
template <typename Row>
void set_encoding(Row& row, const Encoding& encoding) {
  row.quantizer = encoding.quantizer;
  row.bits = encoding.bits;
  row.group_size = encoding.group_size;
}

}  // namespace moesweep::formats
