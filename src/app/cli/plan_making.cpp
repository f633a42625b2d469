#include "plan_making.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/shell_word.hpp>

namespace moesweep::cli {
namespace {

constexpr auto epoch_variable = "SOURCE_DATE_EPOCH";
constexpr std::int64_t last_second = 253'402'300'799;  // 9999-12-31T23:59:59Z

/// Seconds since 1970 that a build gives in place of the time (reproducible-builds.org).
std::int64_t given_epoch(std::string_view text) {
  std::int64_t seconds = -1;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, seconds);
  if (error == std::errc{} && stopped == end && seconds >= 0 && seconds <= last_second) {
    return seconds;
  }
  throw Error(ExitCode::bad_usage, epoch_variable,
              "is no number of seconds since 1970: " + printable(text),
              "unset it, or give one as `date +%s` prints it");
}

std::string date_now() {
  const auto* const given = std::getenv(epoch_variable);
  const auto seconds = given != nullptr ? given_epoch(given)
                                        : std::chrono::duration_cast<std::chrono::seconds>(
                                              std::chrono::system_clock::now().time_since_epoch())
                                              .count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

/// "/home/me/run" -> "run", "--out=/tmp/plan.json" -> "--out=plan.json"; any other stays.
std::string without_folders(std::string_view argument) {
  const bool is_option = argument.starts_with("--");
  const auto value = is_option ? argument.find('=') + 1 : 0;  // 0 where there is no '='
  if (is_option && value == 0) return std::string(argument);
  auto path = argument.substr(value);
  if (!path.starts_with('/')) return std::string(argument);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  path.remove_prefix(path.rfind('/') + 1);
  return std::string(argument.substr(0, value)) + std::string(path);
}

}  // namespace

records::PlanMaking plan_making(char* const* arguments) {
  records::PlanMaking made{.command = "moesweep", .version = MOESWEEP_VERSION, .date = date_now()};
  if (*arguments == nullptr) return made;
  for (const auto* each = arguments + 1; *each != nullptr; ++each) {
    made.command += ' ' + shell_word(without_folders(*each));
  }
  return made;
}

}  // namespace moesweep::cli
