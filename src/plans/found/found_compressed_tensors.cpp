#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>
#include <moesweep/plans/found/found.hpp>

#include "compressed_tensors_config.hpp"
#include "module_tensors.hpp"

namespace moesweep::found {
namespace {

using checkpoint::Checkpoint;
using checkpoint::Tensor;

/// Sizes that weight_shape holds; those of the codes when it is missing (nothing is packed then).
std::vector<std::int64_t> logical_shape(const Checkpoint& checkpoint,
                                        const checkpoint::TensorReader& reader, const Parts& parts,
                                        const Tensor& codes, std::int64_t codes_a_word) {
  auto shape = codes.shape;
  const auto* const stored = find_part(parts, "weight_shape");
  if (stored == nullptr) {
    shape.back() *= codes_a_word;
    return shape;
  }
  constexpr std::size_t most = 4;
  const auto size = static_cast<std::size_t>(stored->params());
  if (stored->dtype != Dtype::i64 || size != shape.size() || size > most) {
    refuse_tensor(checkpoint, *stored, "does not hold the sizes of a matrix as I64");
  }
  std::array<std::int64_t, most> sizes{};
  reader.read(*stored, 0, std::as_writable_bytes(std::span(sizes).first(size)));
  shape.back() = sizes[size - 1];
  const bool alike = std::equal(shape.begin(), shape.end(), sizes.begin());
  if (!alike || shape.back() < 1 || shape.back() > codes.shape.back() * 32) {
    refuse_tensor(checkpoint, *stored, "does not fit its codes");
  }
  return shape;
}

std::int64_t words_of(std::int64_t columns, std::int32_t bits) {
  const auto codes_a_word = 32 / bits;
  return (columns + codes_a_word - 1) / codes_a_word;
}

/// The width that gives as many words; `likely` when several do. 0: none.
std::int32_t bits_of(std::int64_t columns, std::int64_t words, std::int32_t likely) {
  const auto fits = [&](std::int32_t bits) { return words_of(columns, bits) == words; };
  if (likely >= 1 && likely <= 16 && fits(likely)) return likely;
  for (const std::int32_t bits : {8, 4, 2, 3, 5, 6, 1}) {
    if (fits(bits)) return bits;
  }
  return 0;
}

std::int32_t group_of(std::int64_t columns, const Tensor& scales) {
  const auto groups = scales.shape.size() < 2 ? 1 : scales.shape.back();
  return groups < 1 || !std::in_range<std::int32_t>(columns)
             ? 0
             : checked_cast<std::int32_t>((columns + groups - 1) / groups);
}

std::string problem_with(const FoundModule& module, const CompressedTensorsConfig& config,
                         const std::optional<WeightScheme>& scheme, bool has_zero_points) {
  if (!config.is_there()) return "config.json has no \"quantization_config\"";
  if (config.ignores(module.name)) return "config.json ignores it, but it is stored quantized";
  if (!scheme) return "no target of config.json matches it, but it is stored quantized";
  const auto columns = module.shape.back();
  const auto group_size = scheme->group_size == 0 ? columns : scheme->group_size;
  if (scheme->bits != module.encoding.bits || group_size != module.encoding.group_size) {
    return fmt::format("config.json ({}) says {} bits in groups of {}, its shapes {} in {}",
                       printable(scheme->group), scheme->bits, group_size, module.encoding.bits,
                       module.encoding.group_size);
  }
  if (scheme->symmetric == has_zero_points) {
    return fmt::format("config.json ({}) says {}, it has {} zero points", printable(scheme->group),
                       scheme->symmetric ? "symmetric" : "asymmetric", has_zero_points ? "" : "no");
  }
  return {};
}

class Finder {
 public:
  Finder(const Checkpoint& checkpoint, const std::string& config)
      : checkpoint_(checkpoint),
        reader_(checkpoint, {.threads = 1}),
        config_(checkpoint::parse_config(config)) {}

  Found find() {
    Found found{.format = Format::compressed_tensors, .bytes = file_bytes(checkpoint_)};
    std::set<std::string> names;
    for (const auto& [name, parts] : parts_by_module(checkpoint_)) {
      names.insert(name);
      const bool quantized = find_part(parts, "weight_scale") != nullptr && codes_of(parts);
      if (quantized) found.modules.push_back(quantized_module(name, parts));
      for (const auto& [part, tensor] : parts) {
        if (quantized && belongs_to_codes(part)) continue;
        found.modules.push_back(kept(name, part, *tensor));
      }
    }
    for (const auto& name : config_.exact_names()) {
      if (!names.contains(name)) found.unused.push_back(name);
    }
    sort_by_name(found);
    return found;
  }

 private:
  static const Tensor* codes_of(const Parts& parts) {
    const auto* const packed = find_part(parts, "weight_packed");
    return packed != nullptr ? packed : find_part(parts, "weight");
  }
  static bool belongs_to_codes(std::string_view part) {
    constexpr std::array<std::string_view, 9> parts = {"weight",
                                                       "weight_packed",
                                                       "weight_scale",
                                                       "weight_shape",
                                                       "weight_g_idx",
                                                       "weight_zero_point",
                                                       "weight_global_scale",
                                                       "input_scale",
                                                       "input_global_scale"};
    return std::ranges::find(parts, part) != parts.end();
  }

  FoundModule kept(const std::string& name, const std::string& part, const Tensor& tensor) const {
    auto module = unquantized(name, part, tensor);
    if (part == "weight" && tensor.shape.size() >= 2 && config_.targets_by_name(name) &&
        !config_.ignores(name)) {
      module.problem = "a target of config.json matches it, but it is stored unquantized";
    }
    return module;
  }

  FoundModule quantized_module(const std::string& name, const Parts& parts) const {
    const auto& codes = *codes_of(parts);
    const auto& scales = *find_part(parts, "weight_scale");
    if (codes.shape.size() < 2 || codes.params() == 0 || scales.params() == 0) {
      refuse_tensor(checkpoint_, codes, "is quantized, but no matrix");
    }
    const auto scheme = config_.scheme_of(name);
    const auto* const zeros = find_part(parts, "weight_zero_point");
    FoundModule module;
    module.name = name;
    module.element = element_name(codes.dtype);
    // weight_shape is left out: it stores no weights.
    module.bytes = codes.bytes() + scales.bytes() + (zeros == nullptr ? 0 : zeros->bytes());
    if (const auto* global = find_part(parts, "weight_global_scale")) {
      module.bytes += global->bytes();
    }
    set_storage(module, parts, codes, scheme ? scheme->bits : 0);
    module.encoding.group_size = group_of(module.shape.back(), scales);
    module.problem = problem_with(module, config_, scheme, zeros != nullptr);
    if (zeros != nullptr)
      module.encoding.quantizer = fmt::format("ct_uint{}", module.encoding.bits);
    return module;
  }

  /// Quantizer, bits and shape by the dtype of the codes.
  void set_storage(FoundModule& module, const Parts& parts, const Tensor& codes,
                   std::int32_t likely_bits) const {
    const bool packed = find_part(parts, "weight_packed") != nullptr;
    if (packed && codes.dtype == Dtype::i32) {
      const auto a_word = likely_bits >= 1 && likely_bits <= 16 ? 32 / likely_bits : 8;
      module.shape = logical_shape(checkpoint_, reader_, parts, codes, a_word);
      module.encoding.bits = bits_of(module.shape.back(), codes.shape.back(), likely_bits);
      if (module.encoding.bits == 0)
        refuse_tensor(checkpoint_, codes, "does not fit its weight_shape");
      module.encoding.quantizer = fmt::format("ct_int{}", module.encoding.bits);
    } else if (packed && codes.dtype == Dtype::u8) {
      module.shape = codes.shape;
      module.shape.back() *= 2;
      module.encoding.bits = 4;
      module.encoding.quantizer =
          find_part(parts, "weight_global_scale") != nullptr ? "nvfp4" : "mxfp4";
    } else if (!packed && dtype_bits(codes.dtype) == 8) {
      module.shape = codes.shape;
      module.encoding.bits = 8;
      module.encoding.quantizer = codes.dtype == Dtype::i8 ? "ct_int8" : element_name(codes.dtype);
    } else {
      refuse_tensor(checkpoint_, codes, "has scales, but no packed or 8-bit codes");
    }
  }

  const Checkpoint& checkpoint_;
  checkpoint::TensorReader reader_;
  CompressedTensorsConfig config_;
};

}  // namespace

Found find_compressed_tensors(const Checkpoint& checkpoint, const std::string& config) {
  return Finder(checkpoint, config).find();
}

}  // namespace moesweep::found
