#include <fmt/format.h>

#include <moesweep/core/config/settings.hpp>

#include "value_text.hpp"

namespace moesweep::config {
namespace {

/// Nothing for a key that this job's kind does not know.
std::optional<std::string> text_of(const Settings& settings, const Option& option) {
  const auto found = settings.values().find(option.key);
  if (found == settings.values().end()) return std::nullopt;
  return value_text(option, found->second);
}

}  // namespace

Hash128 fingerprint(std::string_view what, std::span<const Option> options,
                    const Settings& settings, std::span<const InputHash> inputs) {
  Hasher128 hasher;
  hasher.add_text(what);
  for (const auto& option : options) {
    const auto text = text_of(settings, option);
    if (!option.in_fingerprint || !text) continue;
    hasher.add_text(option.key);
    hasher.add_text(*text);
  }
  hasher.add_text("inputs");
  for (const auto& input : inputs) {
    hasher.add_text(input.name);
    hasher.add(std::as_bytes(std::span(input.hash.bytes)));
  }
  return hasher.finish();
}

std::vector<std::string> differences(std::span<const Option> options, const Settings& settings,
                                     const Settings& recorded) {
  std::vector<std::string> out;
  for (const auto& option : options) {
    if (!option.in_fingerprint) continue;
    const auto here = text_of(settings, option);
    const auto there = text_of(recorded, option);
    if (here == there) continue;
    out.push_back(fmt::format("{}: {} here, {} in the run directory", option.key,
                              here.value_or("absent"), there.value_or("absent")));
  }
  return out;
}

}  // namespace moesweep::config
