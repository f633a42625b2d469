#include <charconv>
#include <vector>

#include <moesweep/engine/launch/time_limit.hpp>

namespace moesweep::launch {
namespace {

constexpr std::int64_t longest_seconds = std::int64_t{10} * 366 * 86400;

std::optional<std::int64_t> digits(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool plain = !text.empty() && text.front() >= '0' && text.front() <= '9';
  if (!plain || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value > longest_seconds) return std::nullopt;
  return value;
}

// The numbers between colons; nothing when a part is no number.
std::optional<std::vector<std::int64_t>> split(std::string_view text) {
  std::vector<std::int64_t> parts;
  while (true) {
    const auto colon = text.find(':');
    const auto part = digits(text.substr(0, colon));
    if (!part || parts.size() == 3) return std::nullopt;
    parts.push_back(*part);
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

}  // namespace

std::optional<std::int64_t> parse_time_limit(std::string_view text) {
  std::int64_t days = 0;
  const auto dash = text.find('-');
  const bool has_days = dash != std::string_view::npos;
  if (has_days) {
    const auto given = digits(text.substr(0, dash));
    if (!given) return std::nullopt;
    days = *given;
    text.remove_prefix(dash + 1);
  }
  auto parts = split(text);
  if (!parts) return std::nullopt;
  // Hours come first after days and before two others, minutes otherwise.
  if (!has_days && parts->size() < 3) parts->insert(parts->begin(), 0);
  parts->resize(3, 0);
  const auto seconds = days * 86400 + (*parts)[0] * 3600 + (*parts)[1] * 60 + (*parts)[2];
  if (seconds <= 0 || seconds > longest_seconds) return std::nullopt;
  return seconds;
}

}  // namespace moesweep::launch
