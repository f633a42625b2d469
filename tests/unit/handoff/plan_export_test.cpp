// Every export, read back by the rules of its runtime, says what the plan says.

#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <moesweep/core/base/error.hpp>
#include <moesweep/plans/handoff/export_plan.hpp>
#include <moesweep/plans/handoff/mlx.hpp>
#include <moesweep/plans/plan/family.hpp>

#include "plan_rules.hpp"
#include "plan_samples.hpp"

namespace moesweep::handoff {
namespace {

using names::Runtime;
using test::Found;
using test::plan_of;
using test::plan_row;
using test::qwen35;
using test::Setting;
using testing::AllOf;
using testing::HasSubstr;

const Setting keep = {};
const std::vector<Setting> affine = {keep,
                                     {"affine", 2, 64},
                                     {"affine", 3, 128},
                                     {"affine", 4, 64},
                                     {"affine", 5, 32},
                                     {"affine", 8, 32}};
const std::vector<Setting> integers = {
    keep, {"ct_int4", 4, 128}, {"ct_int4", 4, 32}, {"ct_int8", 8, 128}, {"ct_int8", 8, 0}};
const std::vector<Setting> superblocks = {keep,
                                          {"q8_0", 8, 32},
                                          {"q6_k", 6, 256},
                                          {"q5_k", 5, 256},
                                          {"q4_k", 4, 256},
                                          {"q3_k", 3, 256},
                                          {"q2_k", 2, 256}};

std::vector<std::int64_t> sides_of(const records::PlanRow& row) {
  std::vector<std::int64_t> sides;
  std::istringstream text(row.shape);
  for (std::string side; std::getline(text, side, 'x');) sides.push_back(std::stoll(side));
  return sides;
}

names::Mapping mapping_of(Runtime runtime, const records::PlanRow& row) {
  return names::map_tensor(runtime, qwen35, row.tensor, sides_of(row));
}

const std::string& file_of(const PlanExport& made, const std::string& name) {
  for (const auto& file : made.files) {
    if (file.name == name) return file.text;
  }
  throw std::runtime_error("no file " + name);
}

// Modules by which vLLM and the quantizers for it look the tensor up.
std::vector<std::string> lookups(const records::PlanRow& row) {
  const auto module = mapping_of(Runtime::vllm, row).targets.at(0).module;
  if (!module.ends_with(".experts")) return {module};
  return {module + ".0.gate_proj", module + ".7.up_proj", module + ".511.down_proj"};
}

std::string in_loaded_model(const std::string& module) {
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>("model.language_model.", "language_model.model."),
        std::pair<std::string, std::string>("model.visual.", "visual.")}) {
    if (module.starts_with(from)) return to + module.substr(from.size());
  }
  return module;
}

// Where vLLM loads the text part alone (Qwen3_5MoeForCausalLM).
std::string in_text_model(const std::string& module) {
  const std::string from = "model.language_model.";
  return module.starts_with(from) ? "model." + module.substr(from.size()) : module;
}

// Names close to one that the plan has, which no pattern may take for it.
std::vector<std::string> strangers(const std::string& module) {
  return {"x" + module, "x." + module, module + "x", module + "_scale", "draft." + module};
}

template <typename Rules>
void expect_found(const Rules& rules, const std::string& name, const Setting& planned) {
  const auto found = rules.find(name);
  ASSERT_TRUE(found.setting.has_value()) << name;
  EXPECT_EQ(found.setting->quantizer, planned.quantizer) << name;
  EXPECT_EQ(found.setting->bits, planned.bits) << name;
  EXPECT_EQ(found.setting->group_size, planned.group_size) << name;
  EXPECT_EQ(found.matches, 1) << name;
}

class RandomPlans : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, RandomPlans, testing::Values(1, 2, 3));

TEST_P(RandomPlans, TellConfigJsonOfMlxWhatTheExportSays) {
  const auto plan = test::random_plan(Runtime::mlx, affine, GetParam());
  const auto made = export_plan(plan, qwen35, "mlx-lm", false);
  EXPECT_EQ(mlx_config_keys(plan, qwen35, false),
            nlohmann::ordered_json::parse(file_of(made, "quantization.json")));
}

TEST_P(RandomPlans, SayTheSameInMlx) {
  const auto plan = test::random_plan(Runtime::mlx, affine, GetParam());
  const auto made = export_plan(plan, qwen35, "mlx-lm", false);
  const test::MlxRules rules(file_of(made, "quantization.json"));
  EXPECT_EQ(rules.globals.quantizer, "affine");
  EXPECT_EQ(rules.globals.group_size, 32);
  for (const auto& row : plan.rows) {
    const auto mapping = mapping_of(Runtime::mlx, row);
    const bool asked = mapping.quantizable;  // by mlx-lm, of modules that have to_quantized
    for (const auto& target : mapping.targets) {
      if (asked) expect_found(rules, target.module, test::setting_of(row));
    }
  }
}

std::string llama_cpp_type(const Setting& setting) {
  return setting.quantizer.empty() ? "bf16" : setting.quantizer;
}

TEST_P(RandomPlans, SayTheSameInLlamaCpp) {
  const auto plan = test::random_plan(Runtime::gguf, superblocks, GetParam());
  const auto made = export_plan(plan, qwen35, "llama.cpp", false);
  const test::LlamaCppRules rules(file_of(made, "tensor-types.txt"));
  std::set<std::string> slices;  // of a stack, which are many
  for (const auto& row : plan.rows) {
    const auto mapping = mapping_of(Runtime::gguf, row);
    const bool asked = mapping.quantizable;  // by llama-quantize
    for (const auto& target : mapping.targets) {
      const auto tensor = target.module + "." + target.suffix;
      if (target.stacked_at >= 0 && !slices.insert(tensor).second) continue;
      if (asked) expect_found(rules, tensor, {.quantizer = llama_cpp_type(test::setting_of(row))});
      if (row.shape.find('x') == std::string::npos) {
        EXPECT_EQ(rules.find(tensor).matches, 0) << tensor;
      }
      for (const auto& stranger : strangers(tensor)) EXPECT_EQ(rules.find(stranger).matches, 0);
    }
  }
}

template <typename Rules>
void expect_in_vllm(const Rules& rules, const records::Plan& plan) {
  for (const auto& row : plan.rows) {
    const auto mapping = mapping_of(Runtime::vllm, row);
    if (!mapping.quantizable) continue;
    for (const auto& module : lookups(row)) {
      expect_found(rules, module, test::setting_of(row));
      expect_found(rules, in_loaded_model(module), test::setting_of(row));
      expect_found(rules, in_text_model(module), test::setting_of(row));
      if (module.find(".experts.") != std::string::npos) continue;
      for (const auto& stranger : strangers(module)) {
        EXPECT_EQ(rules.find(stranger).matches, 0) << stranger;
      }
    }
  }
  for (const auto* module : {"lm_head", "language_model.lm_head"}) {
    expect_found(rules, module, keep);
  }
}

TEST_P(RandomPlans, SayTheSameInCompressedTensors) {
  const auto plan = test::random_plan(Runtime::vllm, integers, GetParam());
  const auto made = export_plan(plan, qwen35, "compressed-tensors", false);
  const test::CompressedTensorsRules rules(file_of(made, "quantization_config.json"));
  EXPECT_EQ(rules.format, "mixed-precision");
  expect_in_vllm(rules, plan);
}

TEST_P(RandomPlans, SayTheSameInGptqmodel) {
  auto settings = integers;
  settings.push_back({"affine", 3, 64});
  const auto plan = test::random_plan(Runtime::vllm, settings, GetParam());
  const auto made = export_plan(plan, qwen35, "gptqmodel", false);
  const test::GptqmodelRules rules(file_of(made, "quantize_config.json"));
  expect_in_vllm(rules, plan);
  for (const auto& row : plan.rows) {
    if (!mapping_of(Runtime::vllm, row).quantizable) continue;
    const auto joined = names::tied_module(Runtime::vllm, qwen35, row.tensor);
    expect_found(rules, joined, test::setting_of(row));
    expect_found(rules, in_loaded_model(joined), test::setting_of(row));
  }
}

TEST_P(RandomPlans, SayTheSameInModelopt) {
  auto settings = integers;
  settings.push_back({"nvfp4", 4, 16});
  const auto plan = test::random_plan(Runtime::vllm, settings, GetParam());
  const auto made = export_plan(plan, qwen35, "modelopt", false);
  const test::ModeloptRules rules(file_of(made, "modelopt_config.py"));
  for (const auto& row : plan.rows) {
    if (!mapping_of(Runtime::vllm, row).quantizable) continue;
    const auto planned = test::setting_of(row);
    auto quantizers = lookups(row);
    for (auto& name : quantizers) name += ".weight_quantizer";
    if (row.tensor.ends_with("experts.gate_up_proj")) {
      quantizers.push_back(row.tensor + "_weight_quantizers.17");
    }
    for (const auto& name : quantizers) {
      const auto found = rules.find(name);
      EXPECT_EQ(found.setting, planned) << name;
      EXPECT_EQ(found.matches, planned.quantizer.empty() ? 0 : 1) << name;
    }
  }
}

// Layers with equal decisions share a pattern.
TEST(PlanExport, UniformPlansHaveFewPatterns) {
  const std::vector<Setting> one = {{"ct_int4", 4, 32}};
  auto plan = test::random_plan(Runtime::vllm, one, 1);
  const auto made = export_plan(plan, qwen35, "gptqmodel", false);
  const auto& text = file_of(made, "quantize_config.json");
  std::size_t patterns = 0;
  for (auto at = text.find("+:"); at != std::string::npos; at = text.find("+:", at + 1)) ++patterns;
  EXPECT_LE(patterns, 20U);
}

std::string message_of(const records::Plan& plan, const names::Architecture& architecture,
                       std::string_view format, ExitCode expected) {
  try {
    export_plan(plan, architecture, format, false);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), expected) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error for " << format;
  return {};
}

// The reference's manifest said `model.language_model`, its converter `language_model.model`.
TEST(PlanExport, NamesOfAnotherPrefixAreRefusedByName) {
  const auto plan = plan_of({plan_row("language_model.model.layers.0.self_attn.q_proj.weight",
                                      "64x64", {"affine", 4, 64}),
                             plan_row("lm_head.weight", "64x64", {"affine", 4, 64})});
  const auto message = message_of(plan, qwen35, "mlx-lm", ExitCode::bad_input);
  EXPECT_THAT(message, AllOf(HasSubstr("language_model.model.layers.0.self_attn.q_proj.weight"),
                             HasSubstr("1 of 2"), HasSubstr("qwen3_5_moe")));
}

TEST(PlanExport, UnmappedTensorsAreLeftOutWhenAllowed) {
  const auto plan = plan_of({plan_row("language_model.model.layers.0.self_attn.q_proj.weight",
                                      "64x64", {"affine", 4, 64}),
                             plan_row("lm_head.weight", "64x64", {"affine", 8, 64})});
  const auto made = export_plan(plan, qwen35, "mlx-lm", true);
  EXPECT_THAT(made.unmapped,
              testing::ElementsAre("language_model.model.layers.0.self_attn.q_proj.weight"));
  const test::MlxRules rules(file_of(made, "quantization.json"));
  EXPECT_EQ(rules.find("language_model.lm_head").matches, 1);
  EXPECT_EQ(rules.find("language_model.model.layers.0.self_attn.q_proj").matches, 0);
}

TEST(PlanExport, QuantizersThatAFormatLacksAreRefusedByRow) {
  const std::string tensor = "model.layers.0.self_attn.o_proj.weight";
  const auto planned = [&](const Setting& setting) {
    return plan_of({plan_row(tensor, "256x256", setting)});
  };
  const names::Architecture llama = {.model_type = "llama", .layers = 1};
  const std::vector<std::pair<const char*, Setting>> unsayable = {
      {"mlx-lm", {"q4_k", 4, 256}},
      {"mlx-lm", {"affine", 7, 64}},
      {"mlx-lm", {"affine", 4, 256}},
      {"mlx-lm", {"nvfp4", 4, 16}},
      {"llama.cpp", {"affine", 4, 64}},
      {"llama.cpp", {"ct_int4", 4, 64}},
      {"compressed-tensors", {"affine", 4, 64}},
      {"compressed-tensors", {"q8_0", 8, 32}},
      {"gptqmodel", {"affine", 5, 64}},
      {"gptqmodel", {"q8_0", 8, 32}},
      {"modelopt", {"affine", 4, 64}},
      {"modelopt", {"rtn", 4, 64}}};
  for (const auto& [format, setting] : unsayable) {
    const auto message = message_of(planned(setting), llama, format, ExitCode::bad_usage);
    EXPECT_THAT(message, AllOf(HasSubstr(tensor), HasSubstr(setting.quantizer))) << format;
  }
}

TEST(PlanExport, WhatTheRuntimeKeepsOrDropsCannotBeQuantized) {
  const Setting affine4 = {"affine", 4, 64};
  const Setting q8 = {"q8_0", 8, 32};
  const Setting int4 = {"ct_int4", 4, 64};
  const std::string layer = "model.language_model.layers.0.";
  EXPECT_THAT(message_of(plan_of({plan_row("mtp.fc.weight", "64x128", affine4)}), qwen35, "mlx-lm",
                         ExitCode::bad_input),
              AllOf(HasSubstr("mtp.fc.weight"), HasSubstr("dropped")));
  EXPECT_THAT(message_of(plan_of({plan_row(layer + "mlp.gate.weight", "512x4096", q8)}), qwen35,
                         "llama.cpp", ExitCode::bad_input),
              HasSubstr("mlp.gate.weight"));
  EXPECT_THAT(message_of(plan_of({plan_row("lm_head.weight", "512x4096", int4)}), qwen35,
                         "compressed-tensors", ExitCode::bad_input),
              HasSubstr("lm_head.weight"));
}

TEST(PlanExport, DroppedTensorsThatTheRuntimeLoadsAreRefused) {
  auto plan = plan_of({plan_row("lm_head.weight", "64x64", keep)});
  plan.rows[0].action = "drop";
  EXPECT_THAT(message_of(plan, qwen35, "mlx-lm", ExitCode::bad_input), HasSubstr("lm_head.weight"));
}

TEST(PlanExport, ExpertsOfAStackMustAgree) {
  const auto plan = plan_of(
      {plan_row("model.layers.0.mlp.experts.0.up_proj.weight", "64x64", {"affine", 4, 64}),
       plan_row("model.layers.0.mlp.experts.1.up_proj.weight", "64x64", {"affine", 3, 64})});
  const names::Architecture moe = {.model_type = "qwen3_moe", .layers = 1, .experts = 2};
  EXPECT_THAT(message_of(plan, moe, "mlx-lm", ExitCode::bad_input),
              AllOf(HasSubstr("experts.0.up_proj"), HasSubstr("experts.1.up_proj"),
                    HasSubstr("switch_mlp.up_proj")));
}

TEST(PlanExport, WhatVllmJoinsMustAgree) {
  const std::string attention = "model.layers.0.self_attn.";
  const names::Architecture llama = {.model_type = "llama", .layers = 1};
  const auto plan = plan_of({plan_row(attention + "q_proj.weight", "64x64", {"ct_int4", 4, 64}),
                             plan_row(attention + "k_proj.weight", "64x64", keep)});
  for (const auto* format : {"compressed-tensors", "gptqmodel", "modelopt"}) {
    EXPECT_THAT(message_of(plan, llama, format, ExitCode::bad_input),
                AllOf(HasSubstr("qkv_proj"), HasSubstr("q_proj.weight"), HasSubstr("kept")));
  }
}

TEST(PlanExport, RowsThatAreNoWholeGroupsAreRefused) {
  const names::Architecture llama = {.model_type = "llama", .layers = 1};
  const std::string tensor = "model.layers.0.mlp.up_proj.weight";
  EXPECT_THAT(message_of(plan_of({plan_row(tensor, "64x96", {"affine", 4, 64})}), llama, "mlx-lm",
                         ExitCode::bad_input),
              AllOf(HasSubstr(tensor), HasSubstr("96")));
  // llama-quantize would store another type instead, with a warning.
  EXPECT_THAT(message_of(plan_of({plan_row(tensor, "64x320", {"q4_k", 4, 0})}), llama, "llama.cpp",
                         ExitCode::bad_input),
              AllOf(HasSubstr(tensor), HasSubstr("320")));
}

TEST(PlanExport, OneStorageIsNoMixture) {
  const names::Architecture llama = {.model_type = "llama", .layers = 1};
  const auto plan =
      plan_of({plan_row("model.layers.0.self_attn.o_proj.weight", "64x64", {"ct_int8", 8, 0})});
  const auto made = export_plan(plan, llama, "compressed-tensors", false);
  const test::CompressedTensorsRules rules(file_of(made, "quantization_config.json"));
  EXPECT_EQ(rules.format, "pack-quantized");
  expect_found(rules, "model.layers.0.self_attn.o_proj", {"ct_int8", 8, 0});
}

TEST(PlanExport, LlamaCppIsToldEmbeddingsAndHeadOnTheCommandLine) {
  const names::Architecture llama = {.model_type = "llama", .layers = 1};
  const auto plan = plan_of({plan_row("model.embed_tokens.weight", "512x256", {"q4_k", 4, 256}),
                             plan_row("lm_head.weight", "512x256", keep)});
  const auto made = export_plan(plan, llama, "llama.cpp", false);
  const auto& command = file_of(made, "command.txt");
  EXPECT_THAT(command, AllOf(HasSubstr("--tensor-type-file tensor-types.txt"),
                             HasSubstr("--token-embedding-type q4_k"),
                             HasSubstr("--output-tensor-type bf16")));
  EXPECT_THAT(made.how_to_use, HasSubstr("llama-quantize"));
}

TEST(PlanExport, PredictorsFindTheirBlockWithoutConfig) {
  const auto plan =
      plan_of({plan_row("model.language_model.layers.3.mlp.gate.weight", "512x4096", keep),
               plan_row("mtp.fc.weight", "4096x8192", {"q8_0", 8, 32})});
  const names::Architecture family = {.model_type = "qwen3_5_moe",
                                      .layers = plan::layers_shown_by(plan)};
  const auto made = export_plan(plan, family, "llama.cpp", false);
  const test::LlamaCppRules rules(file_of(made, "tensor-types.txt"));
  expect_found(rules, "blk.4.nextn.eh_proj.weight", {.quantizer = "q8_0"});
}

TEST(PlanExport, ExpertsOfGptOssStayMxfp4InLlamaCpp) {
  const names::Architecture gpt_oss = {.model_type = "gpt_oss", .layers = 1, .experts = 4};
  const std::string experts = "model.layers.0.mlp.experts.";
  const auto plan = plan_of({plan_row(experts + "gate_up_proj_blocks", "4x64x2x16", keep, "U8"),
                             plan_row(experts + "gate_up_proj_scales", "4x64x2", keep, "U8")});
  const auto made = export_plan(plan, gpt_oss, "llama.cpp", false);
  const test::LlamaCppRules rules(file_of(made, "tensor-types.txt"));
  expect_found(rules, "blk.0.ffn_gate_exps.weight", {.quantizer = "mxfp4"});
  expect_found(rules, "blk.0.ffn_up_exps.weight", {.quantizer = "mxfp4"});
}

TEST(PlanExport, ExpertsOfGptOssStayMxfp4InMlx) {
  const names::Architecture gpt_oss = {.model_type = "gpt_oss", .layers = 1, .experts = 4};
  const std::string experts = "model.layers.0.mlp.experts.";
  const auto plan = plan_of({plan_row(experts + "down_proj_blocks", "4x64x2x16", keep, "U8"),
                             plan_row(experts + "gate_up_proj_blocks", "4x64x2x16", keep, "U8"),
                             plan_row("model.layers.0.mlp.router.weight", "4x64", keep)});
  const auto made = export_plan(plan, gpt_oss, "mlx-lm", false);
  const auto config = nlohmann::json::parse(file_of(made, "quantization.json")).at("quantization");
  const nlohmann::json mxfp4 = {{"group_size", 32}, {"bits", 4}, {"mode", "mxfp4"}};
  for (const auto* projection : {"gate_proj", "up_proj", "down_proj"}) {
    EXPECT_EQ(config.at(experts + projection), mxfp4) << projection;
  }
  EXPECT_EQ(config.at("model.layers.0.mlp.router"), false);
}

TEST(PlanExport, GenericNamesWithSpecialCharactersMatchThemselvesOnly) {
  const names::Architecture generic = {.model_type = "generic"};
  const auto plan =
      plan_of({plan_row("enc(a|b)+.layers.07.fc[1]*.weight", "64x64", {"ct_int4", 4, 32}),
               plan_row("enc(a|b)+.layers.7.fc[1]*.weight", "64x64", {"ct_int8", 8, 32})});
  const auto tensors = export_plan(plan, generic, "compressed-tensors", false);
  const test::CompressedTensorsRules rules(file_of(tensors, "quantization_config.json"));
  expect_found(rules, "enc(a|b)+.layers.07.fc[1]*", {"ct_int4", 4, 32});
  expect_found(rules, "enc(a|b)+.layers.7.fc[1]*", {"ct_int8", 8, 32});
  EXPECT_EQ(rules.find("encaa.layers.7.fc1").matches, 0);
}

TEST(PlanExport, UnknownFormatsAreRefusedWithTheKnownOnes) {
  EXPECT_THAT(message_of(plan_of({}), qwen35, "awq", ExitCode::bad_usage),
              AllOf(HasSubstr("awq"), HasSubstr("compressed-tensors")));
  EXPECT_EQ(plan_formats().size(), 7U);
}

}  // namespace
}  // namespace moesweep::handoff
