// Sizes and bits of Qwen3.5-397B-A17B from its published records (tests/data/README.md).

#include <cmath>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/allocation/plan.hpp>

#include "affine_storage.hpp"

namespace moesweep::allocation {
namespace {

const std::vector<std::string> expert_patterns = {"experts"};

/// The language model without `mtp`, 396.35 G parameters, as mlx-lm holds it: all matrices but the
/// convolutions can be quantized.
std::vector<Tensor> language_model() {
  std::ifstream file(MOESWEEP_TEST_DATA "/qwen35-397b-inventory.csv");
  std::string line;
  std::getline(file, line);
  std::vector<Tensor> tensors;
  while (std::getline(file, line)) {
    const auto cells = split_text(line, ',');
    Tensor tensor;
    tensor.name = cells[0];
    for (const auto& side : split_text(cells[1], 'x')) tensor.shape.push_back(std::stoll(side));
    tensor.role = names::role_name(names::role_of(tensor.name, tensor.shape, expert_patterns));
    tensor.decision = tensor.name;
    const bool dropped = tensor.name.starts_with("mtp.") || tensor.role == "vision" ||
                         tensor.name.find("visual") != std::string::npos;
    tensor.fate = dropped ? names::Fate::dropped : names::Fate::mapped;
    tensor.quantizable = !dropped && tensor.shape.size() > 1 && tensor.role != "convolution";
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

struct Size {
  std::int64_t params = 0;
  std::int64_t bytes = 0;
  double gibibytes() const { return static_cast<double>(bytes) / (1 << 30); }
  double bits_per_weight() const {
    return 8.0 * static_cast<double>(bytes) / static_cast<double>(params);
  }
};

Size uniform_size(const Encoding& format, std::map<std::string, Encoding> fixed) {
  Constraints constraints{.formats = affine_formats(), .fixed = std::move(fixed)};
  const auto problem = make_problem(language_model(), constraints, {}, affine_bytes);
  Size size;
  for (const auto& row : plan_rows(problem, uniform(problem, format))) {
    if (row.action == "drop") continue;
    size.params += row.params;
    size.bytes += row.bytes;
  }
  return size;
}

TEST(PublishedSizes, FourBitsWithBf16EmbeddingsHeadAndRouters) {
  const Encoding keep;
  const std::map<std::string, Encoding> kept = {
      {"embedding", keep}, {"head", keep}, {"router", keep}};
  const auto in_128 = uniform_size({"affine", 4, 128}, kept);
  EXPECT_EQ(in_128.params, 396'346'350'336);
  EXPECT_NEAR(in_128.gibibytes(), 199.06, 0.005);
  EXPECT_NEAR(in_128.bits_per_weight(), 4.3141, 5e-5);
  const auto in_64 = uniform_size({"affine", 4, 64}, kept);
  EXPECT_NEAR(in_64.gibibytes(), 210.53, 0.005);
  EXPECT_NEAR(in_64.bits_per_weight(), 4.5628, 5e-5);
}

TEST(PublishedSizes, FourBitsWithRoutersOfEightBits) {
  const auto size = uniform_size({"affine", 4, 128}, {{"router", {"affine", 8, 64}}});
  EXPECT_NEAR(size.gibibytes(), 196.16, 0.005);
  EXPECT_NEAR(size.bits_per_weight(), 4.2514, 5e-5);
}

}  // namespace
}  // namespace moesweep::allocation
