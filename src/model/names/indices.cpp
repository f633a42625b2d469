#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include <moesweep/model/names/role.hpp>

#include "components.hpp"

namespace moesweep::names {
namespace {

constexpr std::array<std::string_view, 5> layer_lists = {"layers", "layer", "blocks", "block", "h"};
constexpr std::array<std::string_view, 3> expert_lists = {"experts", "local_experts",
                                                          "routed_experts"};

// Position of the first index that follows one of `lists`.
template <typename Lists>
std::optional<std::size_t> index_position(const std::vector<std::string_view>& components,
                                          const Lists& lists) {
  for (std::size_t i = 1; i < components.size(); ++i) {
    if (is_index(components[i]) && is_one_of(components[i - 1], lists)) return i;
  }
  return std::nullopt;
}

template <typename Lists>
std::int64_t index_after(std::string_view name, const Lists& lists) {
  const auto components = components_of(name);
  const auto position = index_position(components, lists);
  if (!position) return -1;
  const auto digits = components[*position];
  std::int64_t index = -1;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return parsed.ec == std::errc{} ? index : -1;
}

}  // namespace

std::int64_t layer_of(std::string_view name) {
  return index_after(name, layer_lists);
}

std::int64_t layers_shown_by(std::string_view name) {
  const auto layer = name.starts_with("model.language_model.") ? layer_of(name) : -1;
  return layer == std::numeric_limits<std::int64_t>::max() ? 0 : layer + 1;
}

std::int64_t expert_of(std::string_view name) {
  return index_after(name, expert_lists);
}

std::string pattern_of(std::string_view name) {
  const auto components = components_of(name);
  const auto layer = index_position(components, layer_lists);
  const auto expert = index_position(components, expert_lists);
  std::string pattern;
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (i > 0) pattern += '.';
    if (i == layer) {
      pattern += "{layer}";
    } else if (i == expert) {
      pattern += "{expert}";
    } else if (is_index(components[i])) {
      pattern += "{i}";
    } else {
      pattern += components[i];
    }
  }
  return pattern;
}

}  // namespace moesweep::names
