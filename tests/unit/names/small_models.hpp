#pragma once
// Complete lists of the tensors of small models, as transformers saves each architecture.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/model/names/runtime.hpp>

namespace moesweep::names::test {

struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
};

struct Model {
  Architecture architecture;
  std::vector<Tensor> tensors;
};

/// 2 layers of width 64, tied or not.
Model llama(bool tied = false);
Model qwen2();
Model qwen3();
/// 2 layers, 4 experts and a shared one.
Model qwen2_moe();
/// 2 layers, the first dense, 4 experts.
Model qwen3_moe();
Model mixtral();
/// 3 layers, the first dense, FP8 with block scales, and a layer that predicts one more token.
Model deepseek_v3();
/// MXFP4 experts as published, or BF16 ones.
Model gpt_oss(bool mxfp4 = true);
std::vector<Model> all_models();

}  // namespace moesweep::names::test
