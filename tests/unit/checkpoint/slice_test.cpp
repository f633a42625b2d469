// The committed slice of a real checkpoint: what other tests and the demo job build on.

#include <bit>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>

namespace moesweep::checkpoint {
namespace {

using testing::ElementsAre;

class UseLiteSlice : public testing::Test {
 protected:
  std::vector<float> values(std::string_view name) const {
    for (const auto& tensor : checkpoint_.tensors) {
      if (tensor.name == name) return decoded(tensor);
    }
    ADD_FAILURE() << name;
    return {};
  }
  std::vector<float> decoded(const Tensor& tensor) const {
    std::vector<std::uint16_t> halves(checked_cast<std::size_t>(tensor.params()));
    reader_.read(tensor, 0, std::as_writable_bytes(std::span(halves)));
    std::vector<float> floats;
    for (const auto half : halves) {
      floats.push_back(std::bit_cast<float>(std::uint32_t{half} << 16));
    }
    return floats;
  }

  Checkpoint checkpoint_ = open_checkpoint(MOESWEEP_TEST_DATA "/use-lite");
  TensorReader reader_{checkpoint_};
};

TEST_F(UseLiteSlice, Has29TensorsInTwoShards) {
  EXPECT_EQ(checkpoint_.tensors.size(), 29);
  ASSERT_EQ(checkpoint_.shards.size(), 2);
  EXPECT_EQ(checkpoint_.shards[0].name, "model-00001-of-00002.safetensors");
  EXPECT_EQ(checkpoint_.bytes(), 1'531'392);
  EXPECT_EQ(checkpoint_.params(), 765'696);
}

TEST_F(UseLiteSlice, KeepsTheFirstLayersAttentionWhole) {
  for (const auto& tensor : checkpoint_.tensors) {
    if (tensor.name == "encoder.layers.0.self_attn.qkv_proj.weight") {
      EXPECT_THAT(tensor.shape, ElementsAre(768, 256));
    } else if (tensor.name == "encoder.layers.0.self_attn.out_proj.weight") {
      EXPECT_THAT(tensor.shape, ElementsAre(512, 256));
    }
  }
}

TEST_F(UseLiteSlice, HoldsTrainedFiniteWeights) {
  for (const auto& tensor : checkpoint_.tensors) {
    const auto floats = decoded(tensor);
    double sum_squares = 0;
    for (const auto value : floats) sum_squares += double{value} * value;
    EXPECT_TRUE(std::isfinite(sum_squares)) << tensor.name;
    EXPECT_GT(sum_squares, 0) << tensor.name;
  }
}

TEST_F(UseLiteSlice, FirstEmbeddingsAreThoseOfTheSource) {
  const auto embeddings = values("embeddings.word_embeddings.weight");
  EXPECT_THAT(std::span(embeddings).first(3),
              ElementsAre(-0.0223388671875F, -0.01556396484375F, -0.03759765625F));
}

}  // namespace
}  // namespace moesweep::checkpoint
