#include <array>
#include <utility>

#include <moesweep/analysis/suppression/setting.hpp>

namespace moesweep::suppression {
namespace {

constexpr std::array<std::pair<Mode, std::string_view>, 3> modes = {{
    {Mode::soft_mask, "soft_mask"},
    {Mode::hard_mask, "hard_mask"},
    {Mode::directional, "directional"},
}};
constexpr std::array<std::pair<Pooling, std::string_view>, 3> poolings = {{
    {Pooling::last_token, "last_token"},
    {Pooling::mean, "mean"},
    {Pooling::evidence_mean, "evidence_mean"},
}};

template <typename Names, typename Value>
std::string_view name_of(const Names& names, Value value) {
  return names[static_cast<std::size_t>(value)].second;
}

template <typename Value, std::size_t count>
std::optional<Value> value_of(const std::array<std::pair<Value, std::string_view>, count>& names,
                              std::string_view wanted) {
  for (const auto& [value, name] : names) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view mode_name(Mode mode) {
  return name_of(modes, mode);
}
std::string_view pooling_name(Pooling pooling) {
  return name_of(poolings, pooling);
}
std::optional<Mode> parse_mode(std::string_view name) {
  return value_of(modes, name);
}
std::optional<Pooling> parse_pooling(std::string_view name) {
  return value_of(poolings, name);
}

}  // namespace moesweep::suppression
