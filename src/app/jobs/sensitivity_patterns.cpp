#include "sensitivity_patterns.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <moesweep/app/jobs/checkpoint_input.hpp>
#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/nearest_pattern.hpp>
#include <moesweep/core/base/text.hpp>

namespace moesweep::jobs {
namespace {

constexpr std::initializer_list<const char*> substring_keys = {"sensitivity.protected",
                                                               "sensitivity.sensitive"};

bool is_default(const char* key, const std::string& pattern) {
  for (const auto& option : job_options()) {
    if (option.key != key || !option.default_value) continue;
    const auto& defaults = std::get<config::TextList>(*option.default_value);
    return std::ranges::find(defaults, pattern) != defaults.end();
  }
  return false;
}

std::vector<std::string> names_of(const checkpoint::Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const auto& tensor : checkpoint.tensors) names.push_back(tensor.name);
  return names;
}

std::vector<std::string> unmatched(const config::Settings& job, const char* key,
                                   const std::vector<std::string>& names) {
  std::vector<std::string> patterns;
  for (const auto& pattern : job.texts(key)) {
    const auto matches = [&](const auto& name) { return contains_ignoring_case(name, pattern); };
    if (is_default(key, pattern) || std::ranges::any_of(names, matches)) continue;
    patterns.push_back(pattern);
  }
  return patterns;
}

Error no_match(const config::Settings& job, const char* key, const std::string& pattern,
               const std::vector<std::string>& names) {
  return Error(ExitCode::bad_job, job.place_of(key),
               fmt::format("\"{}\" of {} matches no tensor", printable(pattern), key),
               remedy_for_pattern(pattern, names));
}

}  // namespace

void require_matching_patterns(const config::Settings& job,
                               const checkpoint::Checkpoint& checkpoint) {
  const auto names = names_of(checkpoint);
  for (const auto& pattern : job.texts(expert_patterns_key)) {
    if (is_default(expert_patterns_key, pattern) || is_component_of(pattern, names)) continue;
    throw no_match(job, expert_patterns_key, pattern, names);
  }
  for (const auto* key : substring_keys) {
    if (job.place_of(key) != "--set") continue;
    for (const auto& pattern : unmatched(job, key, names)) throw no_match(job, key, pattern, names);
  }
}

std::vector<std::string> patterns_without_match(const config::Settings& job,
                                                const checkpoint::Checkpoint& checkpoint) {
  const auto names = names_of(checkpoint);
  std::vector<std::string> lines;
  for (const auto* key : substring_keys) {
    for (const auto& pattern : unmatched(job, key, names)) {
      lines.emplace_back(no_match(job, key, pattern, names).what());
    }
  }
  return lines;
}

}  // namespace moesweep::jobs
