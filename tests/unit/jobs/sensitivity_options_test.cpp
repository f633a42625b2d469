#include <algorithm>

#include <gtest/gtest.h>

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/model/kernels/quantizer_registry.hpp>

namespace moesweep::jobs {
namespace {

TEST(SensitivityOptions, QuantizersAreAllThatTheKernelsHave) {
  std::vector<std::string> names = {"rtn", "affine"};
  for (const auto& format : kernels::block_formats()) names.emplace_back(format.name);
  const auto options = job_options();
  const auto option = std::find_if(options.begin(), options.end(), [](const auto& candidate) {
    return candidate.key == "sensitivity.quantizers";
  });
  ASSERT_NE(option, options.end());
  EXPECT_EQ(option->choices, names);
  EXPECT_EQ(kernels::find_block_format("rtn"), nullptr);
}

}  // namespace
}  // namespace moesweep::jobs
