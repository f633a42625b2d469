#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <moesweep/model/formats/catalog.hpp>

#include "option_tables.hpp"

namespace moesweep::jobs {
namespace {

using config::IntegerList;
using config::Option;
using config::TextList;
using config::ValueType;
using formats::Format;

/// All bits, or groups, of formats that have more than one of them.
std::vector<std::string> choices(std::span<const std::int32_t> Format::*numbers) {
  std::set<std::int32_t> all;
  for (const auto& format : formats::catalog()) {
    const auto own = format.*numbers;
    if (own.size() > 1) all.insert(own.begin(), own.end());
  }
  std::vector<std::string> texts;
  for (const auto number : all) texts.push_back(std::to_string(number));
  return texts;
}

std::vector<Option> measurement_options() {
  const TextList kinds = {"sensitivity"};
  const TextList metrics = {"moments", "noise", "error", "spectrum"};
  return {
      {.key = "sensitivity.metrics",
       .type = ValueType::text_list,
       .default_value = metrics,
       .help = "What is measured; the composite score and the bits need all four.",
       .choices = metrics,
       .kinds = kinds,
       .may_be_empty = false,
       .may_repeat = false},
      {.key = "sensitivity.experts",
       .type = ValueType::text,
       .default_value = std::string("all"),
       .help =
           "Which slices of a stack are measured: all, or as the published SWAN code 4, stacked.",
       .choices = {"all", "swan"},
       .kinds = kinds},
      {.key = "sensitivity.estimator",
       .type = ValueType::text,
       .default_value = std::string("exact"),
       .help = "How metrics are computed: exactly, or by the published code's sketch and probes.",
       .choices = {"exact", "swan"},
       .kinds = kinds},
      {.key = "sensitivity.quantizers",
       .type = ValueType::text_list,
       .default_value = TextList{"rtn", "affine"},
       .help =
           "Round trips whose squared error is measured: round to nearest (rtn) and what MLX "
           "stores "
           "(affine) at every bits and group size; the block formats of GGUF, NVFP4 and MXFP4, "
           "which "
           "have bits and block length of their own; the integers of compressed-tensors (ct_*) at "
           "every group size.",
       .choices = formats::names(),
       .kinds = kinds,
       .may_be_empty = false,
       .may_repeat = false},
      {.key = "sensitivity.bits",
       .type = ValueType::integer_list,
       .default_value = IntegerList{2, 3, 4, 5, 6, 8},
       .help = "Bits a weight of rtn and affine.",
       .choices = choices(&Format::bits),
       .minimum = 2,
       .maximum = 8,
       .kinds = kinds,
       .may_be_empty = false,
       .may_repeat = false},
      {.key = "sensitivity.group_sizes",
       .type = ValueType::integer_list,
       .default_value = IntegerList{32, 64, 128},
       .help =
           "Weights that share a scale, along the input axis: rtn, affine, ct_int4 and ct_int8.",
       .choices = choices(&Format::groups),
       .kinds = kinds,
       .may_be_empty = false,
       .may_repeat = false},
  };
}

Option weight(std::string name, double value, std::string help) {
  return {.key = "sensitivity.weights." + std::move(name),
          .type = ValueType::number,
          .default_value = value,
          .help = std::move(help),
          .minimum = 0,
          .maximum = 1,
          .kinds = {"sensitivity"}};
}

Option threshold(std::string name, double value, std::string help) {
  return {.key = "sensitivity.thresholds." + std::move(name),
          .type = ValueType::number,
          .default_value = value,
          .help = std::move(help),
          .kinds = {"sensitivity"}};
}

std::vector<Option> decision_options() {
  const TextList kinds = {"sensitivity"};
  return {
      weight("svd", 0.20, "Weight of the spectral concentration in the composite score."),
      weight("kurtosis", 0.45, "Weight of the excess kurtosis in the composite score."),
      weight("noise", 0.15, "Weight of the noise amplification in the composite score."),
      weight("error", 0.20, "Weight of the 4-bit reconstruction error in the composite score."),
      threshold("bits2", 0.10, "A composite at or below it gets 2 bits."),
      threshold("bits8", 0.65, "A composite at or above it gets 8 bits."),
      threshold("bits16", 0.90, "A composite at or above it keeps 16 bits."),
      {.key = "sensitivity.protected",
       .type = ValueType::text_list,
       .default_value =
           TextList{"embed_tokens", "lm_head", "layernorm", "layer_norm", "norm.weight",
                    "router.weight", "vision_model", "multi_modal_projector",
                    "positional_embedding", "class_embedding", "patch_embedding"},
       .help = "Tensors whose name contains one of these (any case) keep 16 bits.",
       .kinds = kinds},
      {.key = "sensitivity.sensitive",
       .type = ValueType::text_list,
       .default_value = TextList{},
       .help = "Tensors whose name contains one of these (any case) get at least 8 bits.",
       .kinds = kinds},
  };
}

}  // namespace

std::vector<config::Option> sensitivity_options() {
  auto options = measurement_options();
  for (auto& option : decision_options()) options.push_back(std::move(option));
  return options;
}

}  // namespace moesweep::jobs
