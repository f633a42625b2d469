// vLLM: modules of vllm/model_executor/models/<model>.py that are given a quant_config, by the
// Hugging Face names that a checkpoint's quantization config says (vLLM maps those to its own with
// hf_to_vllm_mapper and packed_modules_mapping). Read in vllm-project/vllm: llama.py qwen2.py
// qwen3_moe.py qwen3_next.py qwen3_5.py qwen3_vl.py mixtral.py deepseek_v2.py gpt_oss.py and
// layers/quantization/compressed_tensors.

#include <array>

#include <moesweep/core/base/error.hpp>

#include "components.hpp"
#include "runtimes.hpp"

namespace moesweep::names {
namespace {

// Of the groups that kernels have; scales of a whole row have none.
constexpr std::int64_t least_group = 1;

Mapping map_vision(const Question& question) {
  const RuntimeTensor target{.module = std::string(question.place.module),
                             .suffix = std::string(question.place.leaf)};
  constexpr std::array<std::string_view, 4> layers = {"qkv", "proj", "linear_fc1", "linear_fc2"};
  const auto last = components_of(question.place.module).back();
  const bool patches = question.place.module.find(".patch_embed.") != std::string_view::npos;
  if (patches || !is_one_of(last, layers)) return kept(target, "vLLM quantizes Linear only");
  return quantized_if_whole(question, {target}, least_group);
}

// The module of all experts, with the stack's own name below it.
RuntimeTensor stack_of(const Question& question) {
  const auto at = question.place.module.rfind('.');
  return {.module = std::string(question.place.module.substr(0, at)),
          .suffix = std::string(question.place.module.substr(at + 1))};
}

}  // namespace

Mapping map_to_vllm(const Question& question) {
  const auto& place = question.place;
  if (place.section == Section::vision) return map_vision(question);
  const RuntimeTensor target{.module = std::string(place.module),
                             .suffix = std::string(place.leaf)};
  switch (place.part->kind) {
    case Kind::linear:
      if (place.part->gguf.starts_with("nextn.") || place.part->gguf.empty()) {
        // qwen3_5_mtp.py takes mtp.fc unquantized from ModelOpt checkpoints; eh_proj is a plain
        // Linear.
        return kept(target, "vLLM takes what joins states and embeddings unquantized");
      }
      [[fallthrough]];
    case Kind::latent:
    case Kind::expert:
      return quantized_if_whole(question, {target}, least_group);
    case Kind::fused_gate_up:
      if (!has_halves(question.shape)) return unmapped(std::string(no_halves));
      [[fallthrough]];
    case Kind::fused_down:
      return quantized_if_whole(question, {stack_of(question)}, least_group);
    case Kind::embedding:
      return kept(target, "vLLM looks embeddings up unquantized");
    case Kind::head:
      return kept(target, "vLLM's compressed-tensors have no quantized head");
    case Kind::router:
      return kept(target, "vLLM gives routers no quantization");
    case Kind::norm:
      return kept(target, "a norm is kept");
    case Kind::vector:
      return kept(target, "a vector is kept");
    case Kind::convolution:
      return kept(target, "vLLM quantizes no convolution");
    case Kind::interleaved:
    case Kind::packed_down:
      return kept(stack_of(question), "is MXFP4 already, which vLLM takes as it is");
    case Kind::transposed:
      return kept(stack_of(question),
                  "gate and up alternate in its outputs, which plans don't split");
  }
  bug("a kind of tensor without a place in vLLM");
}

}  // namespace moesweep::names
