#include <algorithm>
#include <array>

#include <moesweep/plans/found/gguf_header.hpp>

namespace moesweep::found {
namespace {

// Missing on purpose: 4, 5, 31 to 33 and 36 to 38 were removed from the format; Q8_1 and Q8_K (9,
// 15) exist only while a product is computed.
constexpr auto types = std::to_array<GgufType>({
    {0, "f32", 32, 1, 4},        {1, "f16", 16, 1, 2},        {2, "q4_0", 4, 32, 18},
    {3, "q4_1", 4, 32, 20},      {6, "q5_0", 5, 32, 22},      {7, "q5_1", 5, 32, 24},
    {8, "q8_0", 8, 32, 34},      {10, "q2_k", 2, 256, 84},    {11, "q3_k", 3, 256, 110},
    {12, "q4_k", 4, 256, 144},   {13, "q5_k", 5, 256, 176},   {14, "q6_k", 6, 256, 210},
    {16, "iq2_xxs", 2, 256, 66}, {17, "iq2_xs", 2, 256, 74},  {18, "iq3_xxs", 3, 256, 98},
    {19, "iq1_s", 1, 256, 50},   {20, "iq4_nl", 4, 32, 18},   {21, "iq3_s", 3, 256, 110},
    {22, "iq2_s", 2, 256, 82},   {23, "iq4_xs", 4, 256, 136}, {24, "i8", 8, 1, 1},
    {25, "i16", 16, 1, 2},       {26, "i32", 32, 1, 4},       {27, "i64", 64, 1, 8},
    {28, "f64", 64, 1, 8},       {29, "iq1_m", 1, 256, 56},   {30, "bf16", 16, 1, 2},
    {34, "tq1_0", 2, 256, 54},   {35, "tq2_0", 2, 256, 66},   {39, "mxfp4", 4, 32, 17},
    {40, "nvfp4", 4, 64, 36},
});

}  // namespace

const GgufType* gguf_type(std::uint32_t id) {
  const auto* const found = std::ranges::lower_bound(types, id, {}, &GgufType::id);
  return found != types.end() && found->id == id ? found : nullptr;
}

}  // namespace moesweep::found
