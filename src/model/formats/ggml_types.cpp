#include <algorithm>
#include <array>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/ggml_types.hpp>
#include <moesweep/model/formats/sizes.hpp>

namespace moesweep::formats {
namespace {

// Types that are not written. Missing on purpose: 4, 5, 31 to 33 and 36 to 38 were removed from the
// format; Q8_1 and Q8_K (9, 15) exist only while a product is computed. A block of ggml's nvfp4 is
// four groups with a scale each and has no scale a matrix, so it is not the catalog's.
constexpr auto only_read = std::to_array<GgmlType>({
    {0, "f32", 32, 1, 4, 1},          {1, "f16", 16, 1, 2, 1},
    {2, "q4_0", 4, 32, 18, 32},       {3, "q4_1", 4, 32, 20, 32},
    {6, "q5_0", 5, 32, 22, 32},       {7, "q5_1", 5, 32, 24, 32},
    {16, "iq2_xxs", 2, 256, 66, 256}, {17, "iq2_xs", 2, 256, 74, 256},
    {18, "iq3_xxs", 3, 256, 98, 256}, {19, "iq1_s", 1, 256, 50, 256},
    {20, "iq4_nl", 4, 32, 18, 32},    {21, "iq3_s", 3, 256, 110, 256},
    {22, "iq2_s", 2, 256, 82, 256},   {23, "iq4_xs", 4, 256, 136, 256},
    {24, "i8", 8, 1, 1, 1},           {25, "i16", 16, 1, 2, 1},
    {26, "i32", 32, 1, 4, 1},         {27, "i64", 64, 1, 8, 1},
    {28, "f64", 64, 1, 8, 1},         {29, "iq1_m", 1, 256, 56, 256},
    {30, "bf16", 16, 1, 2, 1},        {34, "tq1_0", 2, 256, 54, 256},
    {35, "tq2_0", 2, 256, 66, 256},   {40, "nvfp4", 4, 64, 36, 16},
});

GgmlType type_of(const Format& format) {
  const auto bits = format.bits.front();
  const auto length = format.groups.front();
  const auto block = block_bytes({std::string(format.name), bits, length}, Dtype::f32);
  return {*format.words.ggml_type, format.stored_as, bits, length, block.total(), length};
}

std::vector<GgmlType> all_types() {
  std::vector<GgmlType> types(only_read.begin(), only_read.end());
  for (const auto& format : catalog()) {
    if (format.words.ggml_type) types.push_back(type_of(format));
  }
  std::ranges::sort(types, {}, &GgmlType::id);
  return types;
}

}  // namespace

const GgmlType* ggml_type(std::uint32_t id) {
  static const auto types = all_types();
  const auto found = std::ranges::lower_bound(types, id, {}, &GgmlType::id);
  return found != types.end() && found->id == id ? &*found : nullptr;
}

}  // namespace moesweep::formats
