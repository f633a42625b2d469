// All 2,924 tensors of Qwen3.5-397B-A17B in each runtime.

#include <fstream>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include <moesweep/core/base/csv.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::names {
namespace {

struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
};

std::vector<Tensor> inventory() {
  const auto text = read_text_file(MOESWEEP_TEST_DATA "/qwen35-397b-inventory.csv");
  CsvRecords records(text, "inventory");
  records.next();
  std::vector<Tensor> tensors;
  while (const auto record = records.next()) {
    Tensor tensor{record->at(0), {}};
    std::istringstream sides(record->at(1));
    for (std::string side; std::getline(sides, side, 'x');) {
      tensor.shape.push_back(std::stoll(side));
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

const Architecture qwen35 = {.model_type = "qwen3_5_moe", .layers = 60, .experts = 512};

std::map<Fate, int> fates(Runtime runtime) {
  std::map<Fate, int> counts;
  for (const auto& [name, shape] : inventory()) {
    const auto mapping = map_tensor(runtime, qwen35, name, shape);
    ++counts[mapping.fate];
    EXPECT_EQ(mapping.targets.empty(), mapping.fate != Fate::mapped) << name;
    EXPECT_EQ(mapping.reason.empty(), mapping.quantizable) << name << ": " << mapping.reason;
    for (const auto& target : mapping.targets) EXPECT_FALSE(target.module.empty()) << name;
  }
  return counts;
}

Mapping mapped(Runtime runtime, std::string_view name, std::vector<std::int64_t> shape) {
  return map_tensor(runtime, qwen35, name, shape);
}

TEST(Qwen35Names, MlxDropsThePredictorAndTheVisionTowerAndMapsAllElse) {
  int predictor = 0;
  int vision = 0;
  for (const auto& [name, shape] : inventory()) {
    const auto mapping = map_tensor(Runtime::mlx, qwen35, name, shape);
    const bool expected = name.starts_with("mtp.") || name.starts_with("model.visual.");
    EXPECT_EQ(mapping.fate, expected ? Fate::dropped : Fate::mapped) << name;
    predictor += static_cast<int>(name.starts_with("mtp."));
    vision += static_cast<int>(name.starts_with("model.visual."));
  }
  EXPECT_EQ(predictor, 1553);  // 1,545 of them are matrices
  const auto counts = fates(Runtime::mlx);
  EXPECT_EQ(counts.at(Fate::dropped), 1553 + vision);
  EXPECT_EQ(counts.at(Fate::mapped), 2924 - 1553 - vision);
}

TEST(Qwen35Names, GgufMapsThePredictorBehindTheLastLayerAndDropsTheVisionTower) {
  const auto counts = fates(Runtime::gguf);
  EXPECT_EQ(counts.at(Fate::dropped), 333);
  EXPECT_EQ(counts.at(Fate::mapped), 2924 - 333);
}

TEST(Qwen35Names, VllmMapsEveryTensor) {
  EXPECT_EQ(fates(Runtime::vllm), (std::map<Fate, int>{{Fate::mapped, 2924}}));
}

// No place is taken twice, and every stack is filled.
TEST(Qwen35Names, EveryRuntimeTensorHasOneOrigin) {
  for (const auto runtime : {Runtime::mlx, Runtime::gguf, Runtime::vllm}) {
    std::set<std::tuple<std::string, std::string, std::int64_t>> taken;
    std::map<std::string, std::int64_t> slices;
    for (const auto& [name, shape] : inventory()) {
      for (const auto& target : map_tensor(runtime, qwen35, name, shape).targets) {
        EXPECT_TRUE(taken.emplace(target.module, target.suffix, target.stacked_at).second)
            << name << " -> " << target.module;
        if (target.stacked_at >= 0) ++slices[target.module];
      }
    }
    for (const auto& [module, count] : slices) EXPECT_EQ(count, 512) << module;
    EXPECT_EQ(slices.size(), runtime == Runtime::gguf ? 3U : 0U);
  }
}

TEST(Qwen35Names, FusedExpertsBecomeTwoMlxModulesOfHalfTheRows) {
  const auto mapping = mapped(
      Runtime::mlx, "model.language_model.layers.7.mlp.experts.gate_up_proj", {512, 2048, 4096});
  ASSERT_EQ(mapping.targets.size(), 2U);
  EXPECT_TRUE(mapping.quantizable);
  const auto& gate = mapping.targets[0];
  const auto& up = mapping.targets[1];
  EXPECT_EQ(gate.module, "language_model.model.layers.7.mlp.switch_mlp.gate_proj");
  EXPECT_EQ(up.module, "language_model.model.layers.7.mlp.switch_mlp.up_proj");
  EXPECT_EQ(gate.suffix, "weight");
  EXPECT_EQ(gate.first_row, 0);
  EXPECT_EQ(gate.rows, 1024);
  EXPECT_EQ(up.first_row, 1024);
  EXPECT_EQ(up.rows, 1024);
}

TEST(Qwen35Names, FusedExpertsOfOddHeightAreUnmapped) {
  for (const auto runtime : {Runtime::mlx, Runtime::gguf, Runtime::vllm}) {
    const auto mapping =
        mapped(runtime, "model.language_model.layers.7.mlp.experts.gate_up_proj", {8, 63, 64});
    EXPECT_EQ(mapping.fate, Fate::unmapped);
    EXPECT_NE(mapping.reason, "");
  }
}

TEST(Qwen35Names, MlxTransformsWhatItsLoaderTransforms) {
  const std::string layer = "model.language_model.layers.0.";
  const auto transform = [&](const std::string& name, std::vector<std::int64_t> shape) {
    return mapped(Runtime::mlx, name, std::move(shape)).targets.at(0).transform;
  };
  EXPECT_EQ(transform(layer + "linear_attn.conv1d.weight", {12288, 1, 4}),
            Transform::last_axis_to_middle);
  EXPECT_EQ(transform(layer + "input_layernorm.weight", {4096}), Transform::add_one);
  EXPECT_EQ(transform(layer + "post_attention_layernorm.weight", {4096}), Transform::add_one);
  EXPECT_EQ(transform(layer + "self_attn.q_norm.weight", {256}), Transform::add_one);
  EXPECT_EQ(transform("model.language_model.norm.weight", {4096}), Transform::add_one);
  EXPECT_EQ(transform(layer + "linear_attn.norm.weight", {128}), Transform::none);
  EXPECT_EQ(transform(layer + "linear_attn.A_log", {64}), Transform::none);
}

struct Named {
  const char* name;
  std::vector<std::int64_t> shape;
  const char* target;  ///< module and suffix, joined by a dot
  bool quantizable;
};

void expect_names(Runtime runtime, const std::vector<Named>& expected) {
  for (const auto& [name, shape, target, quantizable] : expected) {
    const auto mapping = mapped(runtime, name, shape);
    ASSERT_FALSE(mapping.targets.empty()) << name << ": " << mapping.reason;
    const auto& first = mapping.targets.front();
    EXPECT_EQ(first.suffix.empty() ? first.module : first.module + "." + first.suffix, target);
    EXPECT_EQ(mapping.quantizable, quantizable) << name << ": " << mapping.reason;
  }
}

TEST(Qwen35Names, AreThoseOfMlx) {
  expect_names(Runtime::mlx,
               {{"lm_head.weight", {248320, 4096}, "language_model.lm_head.weight", true},
                {"model.language_model.embed_tokens.weight",
                 {248320, 4096},
                 "language_model.model.embed_tokens.weight",
                 true},
                {"model.language_model.layers.3.mlp.gate.weight",
                 {512, 4096},
                 "language_model.model.layers.3.mlp.gate.weight",
                 true},
                {"model.language_model.layers.3.mlp.shared_expert_gate.weight",
                 {1, 4096},
                 "language_model.model.layers.3.mlp.shared_expert_gate.weight",
                 true},
                {"model.language_model.layers.0.linear_attn.A_log",
                 {64},
                 "language_model.model.layers.0.linear_attn.A_log",
                 false},
                {"model.layers.0.linear_attn.out_proj.weight",
                 {4096, 8192},
                 "language_model.model.layers.0.linear_attn.out_proj.weight",
                 true}});
}

TEST(Qwen35Names, AreThoseOfLlamaCpp) {
  expect_names(
      Runtime::gguf,
      {{"lm_head.weight", {248320, 4096}, "output.weight", true},
       {"model.language_model.embed_tokens.weight", {248320, 4096}, "token_embd.weight", true},
       {"model.language_model.norm.weight", {4096}, "output_norm.weight", false},
       {"model.language_model.layers.3.mlp.gate.weight",
        {512, 4096},
        "blk.3.ffn_gate_inp.weight",
        false},
       {"model.language_model.layers.3.mlp.shared_expert_gate.weight",
        {1, 4096},
        "blk.3.ffn_gate_inp_shexp.weight",
        false},
       {"model.language_model.layers.3.post_attention_layernorm.weight",
        {4096},
        "blk.3.post_attention_norm.weight",
        false},
       {"model.language_model.layers.0.linear_attn.in_proj_qkv.weight",
        {12288, 4096},
        "blk.0.attn_qkv.weight",
        true},
       {"model.language_model.layers.0.linear_attn.in_proj_z.weight",
        {8192, 4096},
        "blk.0.attn_gate.weight",
        true},
       {"model.language_model.layers.0.linear_attn.in_proj_a.weight",
        {64, 4096},
        "blk.0.ssm_alpha.weight",
        true},
       {"model.language_model.layers.0.linear_attn.in_proj_b.weight",
        {64, 4096},
        "blk.0.ssm_beta.weight",
        true},
       {"model.language_model.layers.0.linear_attn.out_proj.weight",
        {4096, 8192},
        "blk.0.ssm_out.weight",
        true},
       {"model.language_model.layers.0.linear_attn.conv1d.weight",
        {12288, 1, 4},
        "blk.0.ssm_conv1d.weight",
        false},
       {"model.language_model.layers.0.linear_attn.A_log", {64}, "blk.0.ssm_a", false},
       {"model.language_model.layers.0.linear_attn.dt_bias", {64}, "blk.0.ssm_dt.bias", false},
       {"mtp.fc.weight", {4096, 8192}, "blk.60.nextn.eh_proj.weight", true},
       {"mtp.layers.0.self_attn.o_proj.weight", {4096, 8192}, "blk.60.attn_output.weight", true}});
}

TEST(Qwen35Names, PredictorsNeedTheNumberOfLayersInLlamaCpp) {
  const Architecture unknown{.model_type = "qwen3_5_moe"};
  const std::vector<std::int64_t> shape = {4096, 8192};
  EXPECT_EQ(map_tensor(Runtime::gguf, unknown, "mtp.fc.weight", shape).fate, Fate::unmapped);
}

// What the published reference looked up when the checkpoint said `model.language_model`.
TEST(Qwen35Names, NamesOfTheConvertedModelAreUnmapped) {
  for (const auto runtime : {Runtime::mlx, Runtime::gguf, Runtime::vllm}) {
    const auto mapping =
        mapped(runtime, "language_model.model.layers.0.self_attn.q_proj.weight", {16384, 4096});
    EXPECT_EQ(mapping.fate, Fate::unmapped);
  }
}

TEST(Qwen35Names, ExpertsOfALayerAreTwoDecisionsFusedOrNot) {
  for (const auto runtime : {Runtime::mlx, Runtime::gguf}) {
    const auto tie = [&](std::string_view name) { return tied_module(runtime, qwen35, name); };
    EXPECT_EQ(tie("model.language_model.layers.1.mlp.experts.gate_up_proj"),
              "model.language_model.layers.1.mlp.experts.gate_up");
    EXPECT_EQ(tie("model.language_model.layers.1.mlp.experts.down_proj"),
              "model.language_model.layers.1.mlp.experts.down");
    EXPECT_EQ(tie("mtp.layers.0.mlp.experts.17.gate_proj.weight"),
              "mtp.layers.0.mlp.experts.gate_up");
    EXPECT_EQ(tie("mtp.layers.0.mlp.experts.300.up_proj.weight"),
              "mtp.layers.0.mlp.experts.gate_up");
    EXPECT_EQ(tie("mtp.layers.0.mlp.experts.17.down_proj.weight"), "mtp.layers.0.mlp.experts.down");
    EXPECT_EQ(tie("model.language_model.layers.1.mlp.shared_expert.gate_proj.weight"),
              "model.language_model.layers.1.mlp.shared_expert.gate_proj");
  }
}

TEST(Qwen35Names, VllmTiesWhatItFuses) {
  const std::string layer = "model.language_model.layers.3.";
  const auto tie = [&](const std::string& name) {
    return tied_module(Runtime::vllm, qwen35, layer + name);
  };
  for (const auto* name : {"mlp.experts.gate_up_proj", "mlp.experts.down_proj",
                           "mlp.experts.5.up_proj.weight", "mlp.experts.7.down_proj.weight"}) {
    EXPECT_EQ(tie(name), layer + "mlp.experts");
  }
  for (const auto* name : {"q_proj", "k_proj", "v_proj"}) {
    EXPECT_EQ(tie(std::string("self_attn.") + name + ".weight"), layer + "self_attn.qkv_proj");
  }
  EXPECT_EQ(tie("self_attn.o_proj.weight"), layer + "self_attn.o_proj");
  EXPECT_EQ(tie("mlp.shared_expert.gate_proj.weight"), tie("mlp.shared_expert.up_proj.weight"));
  EXPECT_EQ(tie("linear_attn.in_proj_qkv.weight"), tie("linear_attn.in_proj_z.weight"));
  EXPECT_EQ(tie("linear_attn.in_proj_a.weight"), tie("linear_attn.in_proj_b.weight"));
  EXPECT_NE(tie("linear_attn.in_proj_a.weight"), tie("linear_attn.in_proj_z.weight"));
}

}  // namespace
}  // namespace moesweep::names
