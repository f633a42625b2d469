#include <string>

#include <gtest/gtest.h>

#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/ggml_types.hpp>

namespace moesweep::formats {
namespace {

// GGML_QUANT_SIZES of gguf-py 0.19.0.
TEST(GgmlTypes, HaveTheBlocksOfGgml) {
  struct Expected {
    std::uint32_t id;
    const char* name;
    std::int64_t length, bytes;
  };
  for (const auto& [id, name, length, bytes] : {Expected{0, "f32", 1, 4},
                                                {2, "q4_0", 32, 18},
                                                {8, "q8_0", 32, 34},
                                                {10, "q2_k", 256, 84},
                                                {11, "q3_k", 256, 110},
                                                {12, "q4_k", 256, 144},
                                                {13, "q5_k", 256, 176},
                                                {14, "q6_k", 256, 210},
                                                {23, "iq4_xs", 256, 136},
                                                {30, "bf16", 1, 2},
                                                {34, "tq1_0", 256, 54},
                                                {39, "mxfp4", 32, 17},
                                                {40, "nvfp4", 64, 36}}) {
    const auto* const type = ggml_type(id);
    ASSERT_NE(type, nullptr) << name;
    EXPECT_EQ(type->name, name);
    EXPECT_EQ(type->length, length) << name;
    EXPECT_EQ(type->bytes, bytes) << name;
    EXPECT_EQ(type->is_quantized(), length > 1) << name;
  }
}

TEST(GgmlTypes, AreNoneForRemovedIds) {
  for (const std::uint32_t id : {4U, 5U, 9U, 15U, 31U, 36U, 1000U})
    EXPECT_EQ(ggml_type(id), nullptr);
}

TEST(GgmlTypes, OfTheCatalogShareScalesAsItSays) {
  for (const auto& format : catalog()) {
    if (!format.words.ggml_type) continue;
    const auto* const type = ggml_type(*format.words.ggml_type);
    ASSERT_NE(type, nullptr) << format.name;
    EXPECT_EQ(type->name, format.stored_as);
    EXPECT_EQ(type->group, format.groups.front());
  }
  EXPECT_EQ(ggml_type(40)->group, 16);  // four scales a block
}

}  // namespace
}  // namespace moesweep::formats
