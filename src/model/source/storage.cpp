// Names and layouts of codes and scales, as their programs write them: DeepSeek V3's
// weight_scale_inv and Mistral's qscale_weight (transformers, integrations/finegrained_fp8.py;
// vLLM, model_loader), compressed- tensors (vllm-project/compressed-tensors, compressors/),
// ModelOpt (NVIDIA/Model-Optimizer, unified_export_hf), MLX (ml-explore/mlx-lm, utils.py), GPTQ and
// AWQ (AutoGPTQ, AutoAWQ), bitsandbytes, HQQ, AQLM, EXL2 and EXL3.

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/shape.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/source/storage.hpp>

namespace moesweep::source {
namespace {

using checkpoint::Checkpoint;
using checkpoint::Tensor;

constexpr StorageFormat fp8 = {"FP8 with scales",
                               "code x scale of its block, row or tensor (weight_scale_inv, "
                               "weight_scale, scale, qscale_weight)"};
constexpr StorageFormat mxfp4 = {"MXFP4",
                                 "E2M1 code x a power of 2 for each 32 (_scales, weight_scale)"};
constexpr StorageFormat fp4 = {"FP4 with scales", "E2M1 code x scale of its block"};
constexpr StorageFormat nvfp4 = {
    "NVFP4",
    "E2M1 code x FP8 scale for each 16 x one scale of the matrix (weight_scale_2, "
    "weight_global_scale)"};
constexpr StorageFormat int8 = {"8-bit integers with scales", "code x scale (weight_scale, SCB)"};
constexpr StorageFormat packed = {"packed integers of compressed-tensors",
                                  "(code - zero point) x scale of its group (weight_scale)"};
constexpr StorageFormat mlx = {"MLX", "code x scale + bias of its group (scales, biases)"};
constexpr StorageFormat gptq = {"GPTQ",
                                "(code - zero point) x scale of its group (scales, qzeros)"};
constexpr StorageFormat awq = {"AWQ", "(code - zero point) x scale of its group (scales, qzeros)"};
constexpr StorageFormat bitsandbytes = {"bitsandbytes", "quant_map[code] x absmax of its block"};
constexpr StorageFormat hqq = {"HQQ", "(code - zero point) x scale (meta)"};
constexpr StorageFormat aqlm = {"AQLM", "sums of codebook entries (codebooks) x scale"};
constexpr StorageFormat exl2 = {"EXL2", "packed codes of several widths x q_scale"};
constexpr StorageFormat exl3 = {"EXL3", "a trellis code between rotations (suh, svh)"};
constexpr StorageFormat undecodable = {"integer codes", "scales that are not named"};

bool is_f8(Dtype dtype) {
  return dtype == Dtype::f8_e4m3 || dtype == Dtype::f8_e5m2 || dtype == Dtype::f8_e4m3fnuz ||
         dtype == Dtype::f8_e5m2fnuz;
}

bool is_byte(Dtype dtype) {
  return dtype == Dtype::u8 || dtype == Dtype::i8;
}

bool is_word(Dtype dtype) {
  return dtype == Dtype::u32 || dtype == Dtype::i32;
}

/// What codes can be stored as.
bool may_be_codes(Dtype dtype) {
  return is_f8(dtype) || is_byte(dtype) || is_word(dtype) || is_sub_byte(dtype) ||
         dtype == Dtype::i16 || dtype == Dtype::u16;
}

// Behind the module, after a dot: "X.weight" has "X.weight_scale".
constexpr std::array<std::string_view, 10> weight_scales = {
    "weight_scale_inv", "weight_scale", "scale",  "scales",    "qscale_weight",
    "scale_weight",     "SCB",          "absmax", "scale_inv", "weight_scale_2"};
constexpr std::array<std::string_view, 26> beside_scales = {"weight_scale_2",
                                                            "weight_global_scale",
                                                            "weight_zero_point",
                                                            "weight_g_idx",
                                                            "weight_shape",
                                                            "biases",
                                                            "qzeros",
                                                            "g_idx",
                                                            "input_scale",
                                                            "input_global_scale",
                                                            "input_zero_point",
                                                            "output_scale",
                                                            "qscale_act",
                                                            "scale_input",
                                                            "activation_scale",
                                                            "input_scale_inv",
                                                            "pre_quant_scale",
                                                            "weight_format",
                                                            "weight_scale_and_zero",
                                                            "meta",
                                                            "codebooks",
                                                            "q_scale",
                                                            "q_scale_max",
                                                            "q_groups",
                                                            "q_invperm",
                                                            "q_group_map"};
// Behind the tensor's own name: "X.experts.gate_up_proj" has "..._scale_inv".
constexpr std::array<std::string_view, 7> own_scales = {
    "_scale_inv", "_scale", "_scales", "_scale_2", ".absmax", ".SCB", ".scale"};
constexpr std::array<std::string_view, 8> own_beside = {
    "_global_scale",  "_input_scale",      "_zero_point",     ".quant_map",
    ".nested_absmax", ".nested_quant_map", "_weight_scale_2", "_input_global_scale"};
constexpr std::array<std::string_view, 2> own_prefixes = {".quant_state.", ".meta."};
// Suffixes that nothing but a scale of codes has: without codes they are a contradiction.
constexpr std::array<std::string_view, 6> only_of_codes = {".weight_scale_inv", "_proj_scale_inv",
                                                           ".weight_scale",     ".weight_scale_2",
                                                           ".weight_packed",    ".qzeros"};

struct CodeName {
  std::string_view suffix;  ///< of the tensor with the codes
  const StorageFormat* format;
};
// Names that say by themselves that these are codes.
constexpr std::array code_names = {
    CodeName{".qweight", &gptq}, CodeName{".weight_packed", &packed}, CodeName{"_blocks", &mxfp4},
    CodeName{".W_q", &hqq},      CodeName{".codes", &aqlm},           CodeName{".q_weight", &exl2},
    CodeName{".trellis", &exl3}, CodeName{".Qidxs", &undecodable},
};

class Finder {
 public:
  Finder(const Checkpoint& checkpoint, const ModelConfig& config)
      : checkpoint_(checkpoint), config_(config) {
    for (std::size_t i = 0; i < checkpoint.tensors.size(); ++i) {
      by_name_[checkpoint.tensors[i].name] = i;
    }
  }

  Storage find() {
    Storage storage;
    storage.plain.assign(checkpoint_.tensors.size(), true);
    std::vector<std::size_t> without_scales;
    for (std::size_t i = 0; i < checkpoint_.tensors.size(); ++i) {
      const auto& tensor = checkpoint_.tensors[i];
      const bool is_named = code_name(tensor.name) != nullptr && !is_floating_point(tensor.dtype);
      if ((!may_be_codes(tensor.dtype) && !is_named) || tensor.params() == 0) continue;
      if (auto coded = coded_weight(i)) {
        storage.plain[i] = false;
        for (const auto companion : coded->companions) storage.plain[companion] = false;
        storage.coded.push_back(std::move(*coded));
      } else {
        without_scales.push_back(i);
      }
    }
    for (const auto i : without_scales) {
      if (storage.plain[i]) judge_without_scales(i, storage);
    }
    for (std::size_t i = 0; i < checkpoint_.tensors.size(); ++i) {
      if (storage.plain[i]) judge_scale_without_codes(i, storage);
    }
    return storage;
  }

 private:
  std::optional<std::size_t> index_of(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? std::nullopt : std::optional(found->second);
  }

  const Tensor& at(std::size_t index) const { return checkpoint_.tensors[index]; }

  static const CodeName* code_name(std::string_view name) {
    const auto* found = std::ranges::find_if(
        code_names, [&](const CodeName& known) { return name.ends_with(known.suffix); });
    return found == code_names.end() ? nullptr : found;
  }

  /// The module that a tensor with codes belongs to, without a trailing dot.
  static std::string stem_of(const std::string& name) {
    if (const auto* known = code_name(name)) {
      return name.substr(0, name.size() - known->suffix.size());
    }
    constexpr std::string_view weight = ".weight";
    return name.ends_with(weight) ? name.substr(0, name.size() - weight.size()) : name;
  }

  struct Companions {
    std::optional<std::size_t> scale;
    std::vector<std::size_t> all;
  };

  Companions companions_of(std::size_t codes) const {
    const auto& name = at(codes).name;
    const auto stem = stem_of(name);
    std::set<std::size_t> all;
    std::optional<std::size_t> scale;
    const auto take = [&](const std::string& candidate, bool is_scale) {
      const auto found = index_of(candidate);
      if (!found || *found == codes) return;
      all.insert(*found);
      if (is_scale && !scale) scale = found;
    };
    for (const auto suffix : weight_scales) take(fmt::format("{}.{}", stem, suffix), true);
    for (const auto suffix : own_scales) take(name + std::string(suffix), true);
    if (name.ends_with("_blocks")) take(stem + "_scales", true);
    for (const auto suffix : beside_scales) take(fmt::format("{}.{}", stem, suffix), false);
    for (const auto suffix : own_beside) take(name + std::string(suffix), false);
    for (const auto prefix : own_prefixes) {
      const auto begin = name + std::string(prefix);
      for (auto other = by_name_.lower_bound(begin);
           other != by_name_.end() && other->first.starts_with(begin); ++other) {
        all.insert(other->second);
      }
    }
    return {scale, {all.begin(), all.end()}};
  }

  /// Nothing when the tensor has no scale and its name does not say that it holds codes.
  std::optional<CodedWeight> coded_weight(std::size_t index) const {
    const auto& tensor = at(index);
    const auto* known = code_name(tensor.name);
    const auto companions = companions_of(index);
    const bool says_so = known != nullptr && known->format != &packed && known->format != &mxfp4 &&
                         known->format != &gptq;
    if (!companions.scale && !says_so) return std::nullopt;
    // Without a matrix of codes a scale scales nothing.
    if (tensor.shape.empty()) return std::nullopt;
    CodedWeight coded;
    coded.format = known != nullptr ? known->format : &int8;
    coded.name = stem_of(tensor.name) + (tensor.name.ends_with("_blocks") ? "" : ".weight");
    if (known == nullptr) coded.name = tensor.name;
    coded.codes = index;
    coded.companions = companions.all;
    if (companions.scale) settle_format(tensor, at(*companions.scale), coded);
    coded.bytes = tensor.bytes();
    for (const auto companion : coded.companions) coded.bytes += at(companion).bytes();
    return coded;
  }

  bool has_companion(const CodedWeight& coded, std::string_view end) const {
    return std::ranges::any_of(coded.companions,
                               [&](std::size_t i) { return at(i).name.ends_with(end); });
  }

  /// Which format, and how many weights: most programs say both by dtypes alone.
  void settle_format(const Tensor& codes, const Tensor& scale, CodedWeight& coded) const {
    const auto elements = codes.params();
    const bool global =
        has_companion(coded, "weight_scale_2") || has_companion(coded, "global_scale");
    if (coded.format == &gptq) return settle_gptq(codes, scale, coded);
    if (coded.format == &mxfp4) {
      coded.weights = 2 * elements;
    } else if (coded.format == &packed && is_byte(codes.dtype)) {
      coded.format = is_f8(scale.dtype) ? &nvfp4 : &mxfp4;
      coded.weights = 2 * elements;
    } else if (coded.format == &packed) {
      const bool whole_codes = config_bits() > 0 && 32 % config_bits() == 0;
      coded.weights = whole_codes ? elements * 32 / config_bits() : 0;
    } else if (is_f8(codes.dtype)) {
      coded.format = &fp8;
      coded.weights = elements;
    } else if (is_sub_byte(codes.dtype)) {
      coded.format = is_f8(scale.dtype) ? &nvfp4 : &fp4;
      coded.weights = elements;
    } else if (scale.name.ends_with(".absmax")) {
      coded.format = &bitsandbytes;
      coded.weights = 2 * elements;
    } else if (is_word(codes.dtype)) {
      settle_mlx(codes, scale, coded);
    } else if (is_byte(codes.dtype) && (global || is_f8(scale.dtype))) {
      coded.format = &nvfp4;
      coded.weights = 2 * elements;
    } else if (is_byte(codes.dtype) &&
               (scale.dtype == Dtype::f8_e8m0 || scale.dtype == Dtype::u8)) {
      coded.format = &fp4;
      coded.weights = 2 * elements;
    } else {
      coded.weights = weights_in_bytes(codes, scale);
    }
  }

  /// A byte holds one code of 8 bits. One of fewer bits may fill a byte by itself (compressed-
  /// tensors' int-quantized) or share it (W4A8, and unsigned ones): the groups of the scales tell;
  /// 0 where they don't.
  std::int64_t weights_in_bytes(const Tensor& codes, const Tensor& scale) const {
    const auto elements = codes.params(), bits = config_bits();
    if (bits == 8) return elements;
    const bool is_grouped = scale.shape.size() == 2 && scale.shape[1] > 1;
    if (bits == 0) return codes.dtype == Dtype::u8 || is_grouped ? 0 : elements;
    const auto by_scales = is_grouped ? scale.params() * config_.storage->group_size : 0;
    const auto shared = 8 % bits == 0 ? elements * 8 / bits : 0;
    if (by_scales > 0) return by_scales == shared || by_scales == elements ? by_scales : 0;
    return codes.dtype == Dtype::u8 ? shared : 0;
  }

  std::int64_t config_bits() const { return config_.storage ? config_.storage->bits : 0; }

  /// GPTQ packs codes along the input [in x bits / 32, out], AWQ along the output. Both pack zero
  /// points along the output, [groups, out x bits / 32].
  void settle_gptq(const Tensor& codes, const Tensor& scale, CodedWeight& coded) const {
    if (!is_word(codes.dtype) || codes.shape.size() != 2 || scale.shape.size() != 2 ||
        scale.shape[1] == 0) {
      return;
    }
    const auto outputs = scale.shape[1];
    const bool along_output = codes.shape[1] != outputs;
    if (along_output) coded.format = &awq;
    const auto* zeros = &codes;
    for (const auto companion : coded.companions) {
      if (at(companion).name.ends_with(".qzeros")) zeros = &at(companion);
    }
    const bool known = zeros != &codes || along_output;
    const auto bits =
        !known || zeros->shape.size() != 2 ? config_bits() : 32 * zeros->shape[1] / outputs;
    if (bits > 0) coded.weights = codes.params() * 32 / bits;
  }

  /// Words of a row hold scales.columns x group_size codes.
  void settle_mlx(const Tensor& codes, const Tensor& scale, CodedWeight& coded) const {
    coded.format = &mlx;
    const auto group = config_.storage ? config_.storage->group_size : 0;
    if (scale.shape.empty() || codes.shape.empty()) return;
    const auto by_scales = scale.params() * group;
    const auto by_codes = config_bits() > 0 ? codes.params() * 32 / config_bits() : 0;
    // What contradicts itself is not known.
    coded.weights =
        by_scales > 0 && by_codes > 0 && by_scales != by_codes ? 0 : std::max(by_scales, by_codes);
  }

  void judge_without_scales(std::size_t index, Storage& storage) const {
    const auto& tensor = at(index);
    if (tensor.shape.size() < 2) return;
    const bool named = code_name(tensor.name) != nullptr;
    const bool others = std::ranges::any_of(storage.coded, [&](const CodedWeight& coded) {
      return at(coded.codes).dtype == tensor.dtype;
    });
    const bool says_weights = tensor.name.ends_with(".weight") || tensor.name.ends_with("_proj");
    // In a layout that is not known: nothing was found that config.json declares, or there is a
    // scale under another name. A tensor that is FP8, FP6 or FP4 and nothing more is a matrix of
    // such numbers.
    const bool declared = config_.storage && (storage.coded.empty() || says_weights);
    const bool claimed =
        declared || (others && says_weights) ||
        ((is_f8(tensor.dtype) || is_sub_byte(tensor.dtype)) && has_scale_beside(tensor.name));
    if (!named && !claimed) return;
    storage.plain[index] = false;
    storage.contradictions.push_back(fmt::format("{}: {} codes without scales that are known",
                                                 tensor.name, dtype_name(tensor.dtype)));
  }

  /// A tensor of the same module whose name speaks of a scale: "X.weight._data", "X.weight._scale".
  bool has_scale_beside(const std::string& name) const {
    const auto module = name.substr(0, name.rfind('.') + 1);
    if (module.empty()) return false;
    for (auto other = by_name_.lower_bound(module);
         other != by_name_.end() && other->first.starts_with(module); ++other) {
      const auto rest = std::string_view(other->first).substr(module.size());
      if (other->first != name && rest.find("scale") != std::string_view::npos) return true;
    }
    return false;
  }

  void judge_scale_without_codes(std::size_t index, Storage& storage) const {
    const auto& name = at(index).name;
    const auto* suffix = std::ranges::find_if(
        only_of_codes, [&](std::string_view end) { return name.ends_with(end); });
    if (suffix == only_of_codes.end()) return;
    storage.plain[index] = false;
    storage.contradictions.push_back(fmt::format("{}: scales without codes", name));
  }

  const Checkpoint& checkpoint_;
  const ModelConfig& config_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

std::string some_of(std::span<const std::string> names) {
  constexpr std::size_t most = 3;
  const auto shown = names.first(std::min(names.size(), most));
  auto text = fmt::format("{}", fmt::join(shown, ", "));
  if (shown.size() < names.size()) text += fmt::format(" and {} more", names.size() - shown.size());
  return text;
}

}  // namespace

Storage storage_of(const Checkpoint& checkpoint, const ModelConfig& config) {
  return Finder(checkpoint, config).find();
}

double StoredSize::bits_per_weight() const {
  if (weights == 0) return std::numeric_limits<double>::quiet_NaN();
  return 8.0 * static_cast<double>(bytes) / static_cast<double>(weights);
}

namespace {

/// Integers that are no codes are tables and masks, not parameters.
bool is_parameter(const Checkpoint& checkpoint, const Storage& storage, std::size_t tensor) {
  return storage.plain[tensor] && !is_integer(checkpoint.tensors[tensor].dtype);
}

}  // namespace

std::vector<std::optional<std::int64_t>> logical_weights(const Checkpoint& checkpoint,
                                                         const Storage& storage) {
  std::vector<std::optional<std::int64_t>> weights;
  for (std::size_t i = 0; i < checkpoint.tensors.size(); ++i) {
    weights.emplace_back(is_parameter(checkpoint, storage, i) ? checkpoint.tensors[i].params() : 0);
  }
  for (const auto& coded : storage.coded) {
    weights[coded.codes] = coded.weights == 0 ? std::nullopt : std::optional(coded.weights);
  }
  return weights;
}

StoredSize stored_size(const Checkpoint& checkpoint, const Storage& storage) {
  StoredSize size;
  for (std::size_t i = 0; i < checkpoint.tensors.size(); ++i) {
    if (!is_parameter(checkpoint, storage, i)) continue;
    size.weights += checkpoint.tensors[i].params();
    size.bytes += checkpoint.tensors[i].bytes();
  }
  for (const auto& coded : storage.coded) {
    if (coded.weights == 0) {
      ++size.uncounted;
      continue;
    }
    size.weights += coded.weights;
    size.bytes += coded.bytes;
  }
  return size;
}

std::vector<std::string> describe(const Storage& storage) {
  struct Sum {
    std::vector<std::string> names;
    StoredSize size;
  };
  std::map<const StorageFormat*, Sum> by_format;
  for (const auto& coded : storage.coded) {
    auto& sum = by_format[coded.format];
    sum.names.push_back(coded.name);
    if (coded.weights == 0) {
      ++sum.size.uncounted;
      continue;
    }
    sum.size.weights += coded.weights;
    sum.size.bytes += coded.bytes;
  }
  std::vector<std::string> lines;
  for (const auto& [format, sum] : by_format) {
    const auto bits = sum.size.uncounted > 0 || sum.size.weights == 0
                          ? std::string()
                          : fmt::format(", {:.4f} bits per weight", sum.size.bits_per_weight());
    lines.push_back(fmt::format(
        "{}: {} {} ({}){}; a weight is {}", format->name, format_count(std::ssize(sum.names)),
        sum.names.size() == 1 ? "matrix" : "matrices", some_of(sum.names), bits, format->values));
  }
  std::ranges::sort(lines);
  if (!storage.contradictions.empty()) {
    lines.push_back(fmt::format("not readable as weights: {}", some_of(storage.contradictions)));
  }
  return lines;
}

void refuse_codes(const Checkpoint& checkpoint, const Storage& storage, const ModelConfig& config,
                  const std::vector<bool>& reads) {
  bool reads_codes = false;
  for (std::size_t i = 0; i < reads.size(); ++i) {
    reads_codes = reads_codes || (reads[i] && !storage.plain[i]);
  }
  if (config.storage && (config.storage->rotates_weights || config.storage->is_sparse)) {
    throw Error(ExitCode::bad_input, checkpoint.directory.string(),
                fmt::format("its weights are stored {} in {}",
                            config.storage->is_sparse ? "sparse (sparsity_config)"
                                                      : "rotated (transform_config)",
                            config.storage->place),
                "use the checkpoint that it was made from");
  }
  if (!reads_codes) return;
  const auto declared =
      config.storage && !config.storage->method.empty()
          ? fmt::format(" ({}: {})", config.storage->place, config.storage->method)
          : std::string();
  throw Error(
      ExitCode::bad_input, checkpoint.directory.string(),
      fmt::format("is quantized already{}, and codes are not weights: {}", declared,
                  fmt::join(describe(storage), "; ")),
      "use the unquantized original, or dequantize it to BF16 with the program that made it");
}

}  // namespace moesweep::source
