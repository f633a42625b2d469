#include "place.hpp"

#include <array>
#include <charconv>
#include <optional>

#include "components.hpp"

namespace moesweep::names {
namespace {

// The index at the front of "17.self_attn.q_proj", which it is taken off.
std::optional<std::int64_t> take_index(std::string_view& path) {
  const auto dot = path.find('.');
  const auto digits = path.substr(0, dot);
  if (!is_index(digits) || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  std::int64_t index = -1;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (parsed.ec != std::errc{} || dot == std::string_view::npos) return std::nullopt;
  path.remove_prefix(dot + 1);
  return index;
}

bool take_prefix(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  path.remove_prefix(prefix.size());
  return true;
}

// "mlp.experts.17.up_proj" becomes "mlp.experts.*.up_proj".
std::string without_expert(std::string_view path, std::int64_t& expert) {
  constexpr std::string_view list = "experts.";
  const auto at = path.find(list);
  if (at == std::string_view::npos || (at > 0 && path[at - 1] != '.')) return std::string(path);
  auto rest = path.substr(at + list.size());
  const auto index = take_index(rest);
  if (!index) return std::string(path);
  expert = *index;
  std::string pattern(path.substr(0, at + list.size()));
  pattern += "*.";
  return pattern.append(rest);
}

bool is_leaf_of(const Family& family, Kind kind, std::string_view leaf) {
  switch (kind) {
    case Kind::linear:
    case Kind::latent:
      return leaf == "weight" || leaf == "bias" || (family.block_scales && !leaf.empty());
    case Kind::router:
      return leaf == "weight" || leaf == "bias";
    case Kind::expert:
      return leaf == "weight" || (family.block_scales && leaf == "weight_scale_inv");
    case Kind::embedding:
    case Kind::head:
    case Kind::norm:
    case Kind::convolution:
      return leaf == "weight";
    case Kind::vector:
    case Kind::fused_gate_up:
    case Kind::fused_down:
    case Kind::interleaved:
    case Kind::packed_down:
    case Kind::transposed:
      return leaf.empty();
  }
  return false;
}

const Part* part_among(std::span<const std::span<const Part>> groups, std::string_view path,
                       Place& place) {
  return find_part(groups, without_expert(path, place.expert));
}

void find_in_layer(const Family& family, const Architecture& architecture, std::string_view path,
                   Place& place) {
  const auto layer = take_index(path);
  if (!layer) return;
  place.layer = *layer;
  if (path == "self_attn.rotary_emb.inv_freq") {
    place.section = Section::frequencies;
    return;
  }
  const std::array trailing = {predictor_parts(family)};
  place.section = Section::layer;
  place.part = part_among(family.parts, path, place);
  // Published checkpoints have 61 layers; mlx-lm takes that for granted.
  const auto layers = architecture.layers > 0 ? architecture.layers : 61;
  if (family.trailing_predictor && *layer >= layers) {
    place.section = Section::predictor_layer;
    if (place.part == nullptr) place.part = part_among(trailing, path, place);
  }
}

void find_in_predictor(const Family& family, std::string_view path, Place& place) {
  if (take_prefix(path, "layers.")) {
    const auto layer = take_index(path);
    if (!layer) return;
    place.layer = *layer;
    place.section = Section::predictor_layer;
    place.part = part_among(family.parts, path, place);
    return;
  }
  const std::array groups = {predictor_parts(family)};
  place.section = Section::predictor;
  place.part = part_among(groups, path, place);
}

}  // namespace

Leaf split_leaf(std::string_view name) {
  for (const std::string_view leaf : {"weight", "bias", "weight_scale_inv"}) {
    if (name.size() > leaf.size() + 1 && name.ends_with(leaf) &&
        name[name.size() - leaf.size() - 1] == '.') {
      return {name.substr(0, name.size() - leaf.size() - 1),
              name.substr(name.size() - leaf.size())};
    }
  }
  return {name, {}};
}

Place place_of(const Family& family, const Architecture& architecture, std::string_view name) {
  Place place;
  const auto split = split_leaf(name);
  place.module = split.module;
  place.leaf = split.leaf;
  auto path = place.module;
  if (family.multimodal && path.starts_with("model.visual.")) {
    place.section = Section::vision;
    return place;
  }
  if (path == "lm_head") {
    place.section = Section::top;
    place.part = &top_parts().back();
  } else if (family.multimodal && take_prefix(path, "mtp.")) {
    find_in_predictor(family, path, place);
  } else if ((family.multimodal && take_prefix(path, "model.language_model.")) ||
             take_prefix(path, "model.")) {
    const std::array groups = {top_parts().first(top_parts().size() - 1)};
    place.section = Section::top;
    if (take_prefix(path, "layers.")) {
      find_in_layer(family, architecture, path, place);
    } else {
      place.part = part_among(groups, path, place);
    }
  }
  const bool known = place.part != nullptr && is_leaf_of(family, place.part->kind, place.leaf);
  if (!known) place.part = nullptr;
  if (!known && place.section != Section::frequencies) place.section = Section::unknown;
  return place;
}

}  // namespace moesweep::names
