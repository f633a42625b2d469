#include <moesweep/core/config/option.hpp>

#include "hidden_options.hpp"
#include "quality_options.hpp"
#include "quantize_options.hpp"

namespace moesweep::config {
namespace {

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;

void add(std::vector<Option>& options, std::vector<Option> more) {
  for (auto& option : more) options.push_back(std::move(option));
}

std::vector<Option> general_options() {
  return {
      {.key = "schema",
       .type = ValueType::integer,
       .help = "Version of the job file format, 1.",
       .minimum = 1,
       .maximum = 1},
      {.key = "name",
       .type = ValueType::text,
       .default_value = std::string("sweep"),
       .help = "Name of the sweep in reports and of the batch job.",
       .in_fingerprint = false,
       .characters = "A-Za-z0-9._-"},
      {.key = "kind",
       .type = ValueType::text,
       .help =
           "What is measured: the weights' sensitivity to quantization; on cached hidden states "
           "heads, suppression, probes, or a pipeline of them; or, from measured models, whether "
           "quality hides a loss of safety (quality_safety). A job of kind quantize writes the "
           "checkpoint that a plan describes.",
       .choices = {"sensitivity", "heads", "suppression", "probes", "quality_safety", "pipeline",
                   "quantize"}},
  };
}

std::vector<Option> checkpoint_options() {
  const TextList kinds = {"sensitivity"};
  const TextList both = {"sensitivity", "quantize"};
  return {
      {.key = "checkpoint.path",
       .type = ValueType::path,
       .help =
           "Folder or file of a safetensors checkpoint, relative to the job file; either this or "
           "checkpoint.twin.inventory is given.",
       .kinds = both,
       .in_fingerprint = false,
       .may_be_absent = true},
      {.key = "checkpoint.twin.inventory",
       .type = ValueType::path,
       .help =
           "Inventory (CSV) of a checkpoint whose synthetic twin is swept without being written.",
       .kinds = both,
       .in_fingerprint = false,
       .may_be_absent = true},
      {.key = "checkpoint.twin.scale",
       .type = ValueType::integer,
       .help =
           "What the sides of the inventory's matrices are divided by, never to below 32; 1 when "
           "not given.",
       .minimum = 1,
       .maximum = 1048576,
       .kinds = both,
       .may_be_absent = true},
      {.key = "checkpoint.twin.seed",
       .type = ValueType::integer,
       .help = "Seed of the twin's weights; 0 when not given.",
       .minimum = 0,
       .kinds = both,
       .may_be_absent = true},
      {.key = "checkpoint.include",
       .type = ValueType::text_list,
       .default_value = TextList{"*"},
       .help = "Globs on tensor names: what is swept.",
       .kinds = kinds,
       .may_be_empty = false},
      {.key = "checkpoint.exclude",
       .type = ValueType::text_list,
       .default_value = TextList{},
       .help = "Globs on tensor names: what is left out of it.",
       .kinds = kinds},
      {.key = "checkpoint.nonfinite",
       .type = ValueType::text,
       .default_value = std::string("fail"),
       .help = "A NaN or infinity among the weights fails its unit, or skips its matrix by name.",
       .choices = {"fail", "skip"},
       .kinds = kinds},
      {.key = "checkpoint.expert_patterns",
       .type = ValueType::text_list,
       .default_value = TextList{"experts"},
       .help = "Name components that mark a rank-3 tensor as a stack of experts.",
       .kinds = both},
      {.key = "checkpoint.allow_incomplete",
       .type = ValueType::boolean,
       .default_value = false,
       .help =
           "Take a checkpoint that lacks shards, or layers, experts or the output head that its "
           "config.json promises; what is missing is listed.",
       .kinds = both,
       .in_fingerprint = false},
  };
}

std::vector<Option> measurement_options() {
  const TextList kinds = {"sensitivity"};
  const TextList metrics = {"moments", "noise", "error", "spectrum"};
  const TextList families = {"rtn", "affine"};
  const TextList quantizers = {"rtn",        "affine",      "q8_0",       "q6_k",    "q5_k",
                               "q4_k",       "q3_k",        "q2_k",       "nvfp4",   "mxfp4_ocp",
                               "mxfp4_even", "mxfp4_rceil", "mxfp4_ggml", "ct_int4", "ct_int8"};
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
       .default_value = families,
       .help =
           "Round trips whose squared error is measured: round to nearest (rtn) and what MLX "
           "stores "
           "(affine) at every bits and group size; the block formats of GGUF, NVFP4 and MXFP4, "
           "which "
           "have bits and block length of their own; the integers of compressed-tensors (ct_*) at "
           "every group size.",
       .choices = quantizers,
       .kinds = kinds,
       .may_be_empty = false,
       .may_repeat = false},
      {.key = "sensitivity.bits",
       .type = ValueType::integer_list,
       .default_value = IntegerList{2, 3, 4, 5, 6, 8},
       .help = "Bits a weight of rtn and affine.",
       .choices = {"2", "3", "4", "5", "6", "8"},
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
       .choices = {"32", "64", "128"},
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

std::vector<Option> resource_options() {
  return {
      {.key = "resources.memory",
       .type = ValueType::size,
       .default_value = std::int64_t{0},
       .help = "Memory that units in flight may use on one rank, in bytes; 0: 80 % of the limit "
               "that holds for the rank.",
       .minimum = 0.0,
       .in_fingerprint = false},
      {.key = "resources.unit_bytes",
       .type = ValueType::size,
       .default_value = 256 * mebibyte,
       .help = "Expert stacks are cut into units of at most this many bytes.",
       .minimum = 1},
      {.key = "resources.threads",
       .type = ValueType::integer,
       .default_value = std::int64_t{0},
       .help = "Threads of one rank; 0 takes all that the affinity mask allows.",
       .minimum = 0,
       .maximum = 65536,
       .in_fingerprint = false},
      {.key = "resources.reads_per_file",
       .type = ValueType::integer,
       .default_value = std::int64_t{4},
       .help = "Most reads of one file at once, per rank; weights are read ahead while others are "
               "computed.",
       .minimum = 1,
       .maximum = 1024,
       .in_fingerprint = false},
      {.key = "resources.isa",
       .type = ValueType::text,
       .default_value = std::string("native"),
       .help = "Instruction set of the kernels; native takes the best, a name pins one on clusters "
               "of mixed nodes.",
       .characters = "A-Za-z0-9_"},
      {.key = "output.flush_seconds",
       .type = ValueType::number,
       .default_value = 20.0,
       .help = "A rank writes finished units to disk at least this often, in seconds.",
       .minimum = 0.01,
       .in_fingerprint = false},
  };
}

std::vector<Option> all_options() {
  std::vector<Option> options;
  add(options, general_options());
  add(options, checkpoint_options());
  add(options, measurement_options());
  add(options, decision_options());
  add(options, hidden_options());
  add(options, quality_options());
  add(options, quantize_options());
  add(options, resource_options());
  return options;
}

}  // namespace

std::span<const Option> job_options() {
  static const std::vector<Option> options = all_options();
  return options;
}

}  // namespace moesweep::config
