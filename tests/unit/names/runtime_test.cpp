// Complete small models of each architecture in each runtime.

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/names/runtime.hpp>

#include "small_models.hpp"

namespace moesweep::names {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::array runtimes = {Runtime::mlx, Runtime::gguf, Runtime::vllm};

std::vector<std::string> with_fate(Runtime runtime, const test::Model& model, Fate fate) {
  std::vector<std::string> names;
  for (const auto& [name, shape] : model.tensors) {
    if (map_tensor(runtime, model.architecture, name, shape).fate == fate) names.push_back(name);
  }
  return names;
}

Mapping mapping_of(Runtime runtime, const test::Model& model, std::string_view wanted) {
  for (const auto& [name, shape] : model.tensors) {
    if (name == wanted) return map_tensor(runtime, model.architecture, name, shape);
  }
  ADD_FAILURE() << "the model has no " << wanted;
  return {};
}

std::string first_target(Runtime runtime, const test::Model& model, std::string_view name) {
  const auto mapping = mapping_of(runtime, model, name);
  if (mapping.targets.empty()) return "none: " + mapping.reason;
  const auto& target = mapping.targets.front();
  return target.suffix.empty() ? target.module : target.module + "." + target.suffix;
}

std::vector<std::string> quantizable(Runtime runtime, const test::Model& model) {
  std::vector<std::string> names;
  for (const auto& [name, shape] : model.tensors) {
    if (map_tensor(runtime, model.architecture, name, shape).quantizable) names.push_back(name);
  }
  return names;
}

TEST(SmallModels, NothingIsUnmapped) {
  for (const auto runtime : runtimes) {
    for (const auto& model : test::all_models()) {
      EXPECT_THAT(with_fate(runtime, model, Fate::unmapped), IsEmpty())
          << runtime_name(runtime) << " " << model.architecture.model_type;
    }
  }
}

TEST(SmallModels, WhatIsNotQuantizedHasAReason) {
  for (const auto runtime : runtimes) {
    for (const auto& model : test::all_models()) {
      for (const auto& [name, shape] : model.tensors) {
        const auto mapping = map_tensor(runtime, model.architecture, name, shape);
        EXPECT_EQ(mapping.reason.empty(), mapping.quantizable) << name << ": " << mapping.reason;
      }
    }
  }
}

TEST(SmallModels, EveryRuntimeTensorHasOneOriginAndEveryStackIsFull) {
  for (const auto runtime : runtimes) {
    for (const auto& model : test::all_models()) {
      std::set<std::tuple<std::string, std::string, std::int64_t>> taken;
      std::map<std::string, std::int64_t> slices;
      for (const auto& [name, shape] : model.tensors) {
        // The blocks and scales of MXFP4 become one tensor in GGUF.
        if (runtime == Runtime::gguf && name.ends_with("_scales")) continue;
        for (const auto& target : map_tensor(runtime, model.architecture, name, shape).targets) {
          EXPECT_TRUE(taken.emplace(target.module, target.suffix, target.stacked_at).second)
              << name << " -> " << target.module;
          if (target.stacked_at >= 0) ++slices[target.module];
        }
      }
      for (const auto& [module, count] : slices) EXPECT_EQ(count, 4) << module;
    }
  }
}

TEST(SmallModels, NamesOfOtherArchitecturesAreUnmapped) {
  const std::vector<std::int64_t> matrix = {64, 64};
  for (const auto runtime : runtimes) {
    for (const auto& model : test::all_models()) {
      for (const auto* name :
           {"language_model.model.layers.0.self_attn.o_proj.weight",
            "model.language_model.layers.0.self_attn.o_proj.weight", "layers.0.attention.wq.weight",
            "model.layers.x.self_attn.o_proj.weight", "model.layers.00.self_attn.o_proj.weight",
            "model.layers.99999999999999999999.self_attn.o_proj.weight",
            "model.layers.0.self_attn.o_proj", "model.layers.0.self_attn.o_proj.weights",
            "model.layers.0.mlp.experts.1.gate_proj.bias", "model.layers.", "model", "", "."}) {
        EXPECT_EQ(map_tensor(runtime, model.architecture, name, matrix).fate, Fate::unmapped)
            << name;
      }
    }
  }
}

TEST(Llama, FrequenciesAndTiedHeadsAreDropped) {
  for (const auto runtime : runtimes) {
    EXPECT_THAT(
        with_fate(runtime, test::llama(true), Fate::dropped),
        UnorderedElementsAre("lm_head.weight", "model.layers.0.self_attn.rotary_emb.inv_freq"));
    EXPECT_THAT(with_fate(runtime, test::llama(false), Fate::dropped),
                ElementsAre("model.layers.0.self_attn.rotary_emb.inv_freq"));
  }
}

TEST(Llama, HasTheNamesOfLlamaCpp) {
  const auto model = test::llama();
  const std::map<std::string, std::string> names = {
      {"model.embed_tokens.weight", "token_embd.weight"},
      {"model.norm.weight", "output_norm.weight"},
      {"lm_head.weight", "output.weight"},
      {"model.layers.1.input_layernorm.weight", "blk.1.attn_norm.weight"},
      {"model.layers.1.post_attention_layernorm.weight", "blk.1.ffn_norm.weight"},
      {"model.layers.1.self_attn.q_proj.weight", "blk.1.attn_q.weight"},
      {"model.layers.1.self_attn.k_proj.weight", "blk.1.attn_k.weight"},
      {"model.layers.1.self_attn.v_proj.weight", "blk.1.attn_v.weight"},
      {"model.layers.1.self_attn.o_proj.weight", "blk.1.attn_output.weight"},
      {"model.layers.1.mlp.gate_proj.weight", "blk.1.ffn_gate.weight"},
      {"model.layers.1.mlp.up_proj.weight", "blk.1.ffn_up.weight"},
      {"model.layers.1.mlp.down_proj.weight", "blk.1.ffn_down.weight"}};
  for (const auto& [name, target] : names) {
    EXPECT_EQ(first_target(Runtime::gguf, model, name), target);
    EXPECT_EQ(first_target(Runtime::mlx, model, name), name);
    EXPECT_EQ(first_target(Runtime::vllm, model, name), name);
  }
}

TEST(Llama, EmbeddingsAndHeadsAreQuantizedInMlxAndLlamaCppOnly) {
  const auto model = test::llama();
  for (const auto* name : {"model.embed_tokens.weight", "lm_head.weight"}) {
    EXPECT_TRUE(mapping_of(Runtime::mlx, model, name).quantizable);
    EXPECT_TRUE(mapping_of(Runtime::gguf, model, name).quantizable);
    EXPECT_FALSE(mapping_of(Runtime::vllm, model, name).quantizable);
  }
}

TEST(Llama, RowsThatAreNoWholeGroupsAreKept) {
  const Architecture llama = {.model_type = "llama"};
  const std::vector<std::int64_t> odd = {64, 40};
  for (const auto runtime : {Runtime::mlx, Runtime::gguf}) {
    const auto mapping = map_tensor(runtime, llama, "model.layers.0.self_attn.q_proj.weight", odd);
    EXPECT_FALSE(mapping.quantizable);
    EXPECT_THAT(mapping.reason, HasSubstr("40"));
  }
}

TEST(Qwen, BiasesAndQueryKeyNormsAreKept) {
  const auto qwen2 = test::qwen2();
  EXPECT_EQ(first_target(Runtime::gguf, qwen2, "model.layers.0.self_attn.q_proj.bias"),
            "blk.0.attn_q.bias");
  EXPECT_FALSE(mapping_of(Runtime::mlx, qwen2, "model.layers.0.self_attn.q_proj.bias").quantizable);
  const auto qwen3 = test::qwen3();
  EXPECT_EQ(first_target(Runtime::gguf, qwen3, "model.layers.0.self_attn.q_norm.weight"),
            "blk.0.attn_q_norm.weight");
  const auto norm = mapping_of(Runtime::mlx, qwen3, "model.layers.0.self_attn.q_norm.weight");
  EXPECT_FALSE(norm.quantizable);
  EXPECT_EQ(norm.targets.at(0).transform, Transform::none);
}

TEST(Qwen3Moe, ExpertsAreStackedInMlxAndLlamaCpp) {
  const auto model = test::qwen3_moe();
  const auto* name = "model.layers.1.mlp.experts.3.up_proj.weight";
  EXPECT_EQ(first_target(Runtime::mlx, model, name),
            "model.layers.1.mlp.switch_mlp.up_proj.weight");
  EXPECT_EQ(first_target(Runtime::gguf, model, name), "blk.1.ffn_up_exps.weight");
  EXPECT_EQ(first_target(Runtime::vllm, model, name), name);
  EXPECT_EQ(mapping_of(Runtime::mlx, model, name).targets.at(0).stacked_at, 3);
  EXPECT_EQ(mapping_of(Runtime::gguf, model, name).targets.at(0).stacked_at, 3);
  EXPECT_EQ(mapping_of(Runtime::vllm, model, name).targets.at(0).stacked_at, -1);
}

TEST(Qwen3Moe, RoutersAreQuantizedInMlxOnly) {
  const auto model = test::qwen3_moe();
  const auto* router = "model.layers.1.mlp.gate.weight";
  EXPECT_TRUE(mapping_of(Runtime::mlx, model, router).quantizable);
  EXPECT_FALSE(mapping_of(Runtime::gguf, model, router).quantizable);
  EXPECT_FALSE(mapping_of(Runtime::vllm, model, router).quantizable);
}

TEST(Mixtral, ExpertsHaveTheirProjectionsNames) {
  const auto model = test::mixtral();
  const std::string layer = "model.layers.0.block_sparse_moe.";
  const auto gate = layer + "experts.2.w1.weight";
  const auto down = layer + "experts.2.w2.weight";
  const auto up = layer + "experts.2.w3.weight";
  EXPECT_EQ(first_target(Runtime::mlx, model, gate), layer + "switch_mlp.gate_proj.weight");
  EXPECT_EQ(first_target(Runtime::mlx, model, down), layer + "switch_mlp.down_proj.weight");
  EXPECT_EQ(first_target(Runtime::mlx, model, up), layer + "switch_mlp.up_proj.weight");
  EXPECT_EQ(first_target(Runtime::gguf, model, gate), "blk.0.ffn_gate_exps.weight");
  EXPECT_EQ(first_target(Runtime::gguf, model, down), "blk.0.ffn_down_exps.weight");
  EXPECT_EQ(first_target(Runtime::gguf, model, up), "blk.0.ffn_up_exps.weight");
  const auto tie = [&](const std::string& name) {
    return tied_module(Runtime::mlx, model.architecture, name);
  };
  EXPECT_EQ(tie(gate), layer + "experts.gate_up");
  EXPECT_EQ(tie(up), layer + "experts.gate_up");
  EXPECT_EQ(tie(down), layer + "experts.down");
}

TEST(DeepSeekV3, PredictorAndBlockScalesAreDroppedByMlxAndLlamaCpp) {
  const auto model = test::deepseek_v3();
  for (const auto runtime : {Runtime::mlx, Runtime::gguf}) {
    for (const auto& [name, shape] : model.tensors) {
      const bool expected =
          name.starts_with("model.layers.3.") || name.ends_with("weight_scale_inv");
      const auto fate = map_tensor(runtime, model.architecture, name, shape).fate;
      EXPECT_EQ(fate == Fate::dropped, expected) << name;
    }
  }
  EXPECT_THAT(with_fate(Runtime::vllm, model, Fate::dropped), IsEmpty());
}

TEST(DeepSeekV3, LayersBehindThe61PublishedOnesPredictWhenTheirNumberIsUnknown) {
  const Architecture unknown = {.model_type = "deepseek_v3"};
  const std::vector<std::int64_t> shape = {64, 64};
  const auto fate = [&](std::string_view name) {
    return map_tensor(Runtime::mlx, unknown, name, shape).fate;
  };
  EXPECT_EQ(fate("model.layers.60.self_attn.o_proj.weight"), Fate::mapped);
  EXPECT_EQ(fate("model.layers.61.self_attn.o_proj.weight"), Fate::dropped);
}

TEST(DeepSeekV3, LatentAttentionIsNamedAndTied) {
  const auto model = test::deepseek_v3();
  const std::string attention = "model.layers.1.self_attn.";
  EXPECT_EQ(first_target(Runtime::gguf, model, attention + "kv_a_proj_with_mqa.weight"),
            "blk.1.attn_kv_a_mqa.weight");
  EXPECT_EQ(first_target(Runtime::gguf, model, "model.layers.1.mlp.gate.e_score_correction_bias"),
            "blk.1.exp_probs_b.bias");
  const auto tie = [&](const char* name) {
    return tied_module(Runtime::vllm, model.architecture, attention + name);
  };
  EXPECT_EQ(tie("q_a_proj.weight"), tie("kv_a_proj_with_mqa.weight"));
  EXPECT_NE(tie("q_a_proj.weight"), tie("q_b_proj.weight"));
}

// Its rows and columns change places: groups of the table are not groups of the runtime.
TEST(DeepSeekV3, TheLatentUpProjectionIsQuantizedInVllmOnly) {
  const auto model = test::deepseek_v3();
  const auto* name = "model.layers.1.self_attn.kv_b_proj.weight";
  const auto mlx = mapping_of(Runtime::mlx, model, name);
  EXPECT_FALSE(mlx.quantizable);
  ASSERT_EQ(mlx.targets.size(), 2U);
  EXPECT_EQ(mlx.targets[0].module, "model.layers.1.self_attn.embed_q");
  EXPECT_EQ(mlx.targets[1].module, "model.layers.1.self_attn.unembed_out");
  EXPECT_EQ(mlx.targets[0].transform, Transform::other);
  EXPECT_FALSE(mapping_of(Runtime::gguf, model, name).quantizable);
  EXPECT_TRUE(mapping_of(Runtime::vllm, model, name).quantizable);
}

TEST(DeepSeekV3, RoutersAreNoLinearInMlx) {
  const auto model = test::deepseek_v3();
  EXPECT_FALSE(mapping_of(Runtime::mlx, model, "model.layers.1.mlp.gate.weight").quantizable);
}

TEST(GptOss, OnlyWhatIsNoExpertIsQuantized) {
  for (const bool mxfp4 : {true, false}) {
    const auto model = test::gpt_oss(mxfp4);
    for (const auto runtime : runtimes) {
      const auto names = quantizable(runtime, model);
      EXPECT_THAT(names, testing::Each(testing::Not(HasSubstr("experts"))));
      EXPECT_THAT(names, testing::Contains("model.layers.1.self_attn.q_proj.weight"));
    }
  }
}

TEST(GptOss, PackedExpertsAreMappedAndPlainOnesUnmappedInMlx) {
  const auto packed = test::gpt_oss(true);
  const auto blocks =
      mapping_of(Runtime::mlx, packed, "model.layers.0.mlp.experts.gate_up_proj_blocks");
  ASSERT_EQ(blocks.targets.size(), 2U);
  EXPECT_EQ(blocks.targets[0].module, "model.layers.0.mlp.experts.gate_proj");
  EXPECT_EQ(blocks.targets[1].module, "model.layers.0.mlp.experts.up_proj");
  EXPECT_EQ(blocks.targets[0].transform, Transform::other);
  EXPECT_THAT(with_fate(Runtime::mlx, test::gpt_oss(false), Fate::unmapped),
              UnorderedElementsAre("model.layers.0.mlp.experts.gate_up_proj",
                                   "model.layers.0.mlp.experts.down_proj",
                                   "model.layers.1.mlp.experts.gate_up_proj",
                                   "model.layers.1.mlp.experts.down_proj"));
}

TEST(GptOss, HasTheNamesOfLlamaCpp) {
  const auto model = test::gpt_oss();
  EXPECT_EQ(first_target(Runtime::gguf, model, "model.layers.0.self_attn.sinks"),
            "blk.0.attn_sinks.weight");
  EXPECT_EQ(first_target(Runtime::gguf, model, "model.layers.0.mlp.router.bias"),
            "blk.0.ffn_gate_inp.bias");
  EXPECT_EQ(first_target(Runtime::gguf, model, "model.layers.0.mlp.experts.down_proj_blocks"),
            "blk.0.ffn_down_exps.weight");
  EXPECT_EQ(first_target(Runtime::gguf, model, "model.layers.0.post_attention_layernorm.weight"),
            "blk.0.post_attention_norm.weight");
}

TEST(Generic, NamesStayAndMatricesAreQuantized) {
  const Architecture generic = {.model_type = "generic"};
  const std::vector<std::int64_t> matrix = {8, 40};
  const std::vector<std::int64_t> vector = {8};
  for (const auto runtime : runtimes) {
    const auto weight = map_tensor(runtime, generic, "encoder.layers.0.mlp.fc1.weight", matrix);
    EXPECT_EQ(weight.fate, Fate::mapped);
    EXPECT_TRUE(weight.quantizable);
    EXPECT_EQ(weight.targets.at(0).module, "encoder.layers.0.mlp.fc1");
    EXPECT_EQ(weight.targets.at(0).suffix, "weight");
    const auto bias = map_tensor(runtime, generic, "encoder.layers.0.mlp.fc1.bias", vector);
    EXPECT_FALSE(bias.quantizable);
    EXPECT_EQ(bias.targets.at(0).suffix, "bias");
    EXPECT_FALSE(map_tensor(runtime, generic, "norm.weight", vector).quantizable);
    const auto nameless = map_tensor(runtime, generic, "A_log", matrix);
    EXPECT_FALSE(nameless.quantizable);
    EXPECT_EQ(nameless.targets.at(0).module, "A_log");
    EXPECT_EQ(nameless.targets.at(0).suffix, "");
  }
}

TEST(Ties, BiasesScalesAndNormsAreDecisionsOfTheirOwn) {
  const Architecture any = {.model_type = "deepseek_v3"};
  for (const auto* name :
       {"model.layers.0.self_attn.q_proj.bias", "model.layers.0.mlp.experts.gate_up_proj_bias",
        "model.layers.0.mlp.experts.1.up_proj.weight_scale_inv",
        "model.layers.0.linear_attn.A_log"}) {
    for (const auto runtime : runtimes) EXPECT_EQ(tied_module(runtime, any, name), name);
  }
}

TEST(Generic, GlobsNameMatricesThatMayBeQuantizedBesideWeights) {
  Architecture generic = {.model_type = "generic"};
  generic.quantizable = {"*.experts.*_proj", "emb?"};
  const std::vector<std::int64_t> stack = {4, 64, 64}, matrix = {64, 64}, vector = {64};
  for (const auto runtime : runtimes) {
    const auto named = map_tensor(runtime, generic, "layers.0.experts.up_proj", stack);
    EXPECT_TRUE(named.quantizable);
    EXPECT_EQ(named.fate, Fate::mapped);
    ASSERT_EQ(named.targets.size(), 1U);
    EXPECT_EQ(named.targets[0].module, "layers.0.experts.up_proj");
    EXPECT_EQ(named.targets[0].suffix, "");
    EXPECT_TRUE(map_tensor(runtime, generic, "emb1", matrix).quantizable);
    EXPECT_TRUE(map_tensor(runtime, generic, "other.weight", matrix).quantizable);
    EXPECT_FALSE(map_tensor(runtime, generic, "emb1", vector).quantizable);
    const auto other = map_tensor(runtime, generic, "layers.0.experts.gate", stack);
    EXPECT_FALSE(other.quantizable);
    EXPECT_EQ(other.reason, not_called_weight);
  }
}

}  // namespace
}  // namespace moesweep::names
