// Which tensors a runtime can only store alike. For vLLM: packed_modules_mapping of its models, and
// one scheme for all experts of a layer (compressed_tensors_moe.py), in vllm-project/vllm.

#include <array>

#include "components.hpp"
#include "place.hpp"

namespace moesweep::names {
namespace {

struct Fusion {
  std::string_view projection;
  std::string_view fused;
};
constexpr std::array vllm_fusions = {
    Fusion{"q_proj", "qkv_proj"},
    Fusion{"k_proj", "qkv_proj"},
    Fusion{"v_proj", "qkv_proj"},
    Fusion{"gate_proj", "gate_up_proj"},
    Fusion{"up_proj", "gate_up_proj"},
    Fusion{"in_proj_qkv", "in_proj_qkvz"},
    Fusion{"in_proj_z", "in_proj_qkvz"},
    Fusion{"in_proj_a", "in_proj_ba"},
    Fusion{"in_proj_b", "in_proj_ba"},
    Fusion{"q_a_proj", "fused_qkv_a_proj"},
    Fusion{"kv_a_proj_with_mqa", "fused_qkv_a_proj"},
};

constexpr std::array<std::string_view, 5> gate_or_up = {"gate_proj", "up_proj", "gate_up_proj",
                                                        "w1", "w3"};
constexpr std::array<std::string_view, 2> down = {"down_proj", "w2"};

// "model.layers.0.mlp.experts" of a matrix of an expert or a stack of them, else empty.
std::string_view experts_of(std::string_view module) {
  constexpr std::string_view list = ".experts.";
  const auto at = module.rfind(list);
  if (at == std::string_view::npos) return {};
  return module.substr(0, at + list.size() - 1);
}

}  // namespace

std::string tied_module(Runtime runtime, const Architecture& /*architecture*/,
                        std::string_view name) {
  const auto [module, leaf] = split_leaf(name);
  const auto last = module.substr(module.rfind('.') + 1);
  if (const auto experts = experts_of(module); !experts.empty()) {
    const bool is_down = is_one_of(last, down);
    // Biases and block scales go beside the weights that they belong to.
    if ((leaf == "weight" || leaf.empty()) && (is_down || is_one_of(last, gate_or_up))) {
      if (runtime == Runtime::vllm) return std::string(experts);
      return std::string(experts) + (is_down ? ".down" : ".gate_up");
    }
  }
  if (leaf != "weight") return std::string(name);
  if (runtime == Runtime::vllm) {
    for (const auto& [projection, fused] : vllm_fusions) {
      if (last == projection) {
        return std::string(module.substr(0, module.size() - last.size())) + std::string(fused);
      }
    }
  }
  return std::string(module);
}

}  // namespace moesweep::names
