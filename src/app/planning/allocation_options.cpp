#include "allocation_options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/csv.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/names/role.hpp>

namespace moesweep::planning {
namespace {

std::optional<double> positive(std::string_view text) {
  const auto value = csv_number(text);
  if (!value || !std::isfinite(*value) || *value <= 0.0) return std::nullopt;
  return value;
}

/// The number before a unit.
std::optional<double> with_unit(std::string_view text, std::string_view unit) {
  if (!text.ends_with(unit)) return std::nullopt;
  text.remove_suffix(unit.size());
  while (text.ends_with(' ')) text.remove_suffix(1);
  return positive(text);
}

std::optional<std::int32_t> integer(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// ROLE and what it is set to; Error(bad_usage) unless it is a role.
std::pair<std::string, std::string> split_role(const std::string& option, const std::string& text) {
  std::vector<std::string> roles;
  for (int i = 0; i <= static_cast<int>(names::Role::other); ++i) {
    roles.emplace_back(names::role_name(static_cast<names::Role>(i)));
  }
  const auto equals = text.find('=');
  auto role = text.substr(0, equals);
  if (equals == std::string::npos) {
    throw Error(ExitCode::bad_usage, fmt::format("{} {}", option, text),
                "has no =", "write ROLE=VALUE");
  }
  if (std::find(roles.begin(), roles.end(), role) == roles.end()) {
    const auto near = nearest_name(role, roles);
    throw Error(ExitCode::bad_usage, fmt::format("{} {}", option, text), "names no role",
                fmt::format("{}roles are {}", near ? fmt::format("did you mean {}? ", *near) : "",
                            fmt::join(roles, ", ")));
  }
  return {std::move(role), text.substr(equals + 1)};
}

constexpr std::int32_t kept_bits = 16;

/// Below it a number without a unit is hardly one of bytes.
constexpr double fewest_bare_bytes = 1024.0;

}  // namespace

std::int64_t Target::bytes_for(std::int64_t params, std::int64_t original_bytes) const {
  if (bytes) return *bytes;
  const double exact = bits_per_weight ? *bits_per_weight * static_cast<double>(params) / 8.0
                                       : *share * static_cast<double>(original_bytes);
  // Anything beyond is as good as no limit.
  constexpr double most = 9e18;
  return static_cast<std::int64_t>(std::floor(std::min(exact, most)));
}

Target parse_target(const std::string& text) {
  const auto refused = [&](const std::string& problem, const std::string& remedy) {
    return Error(ExitCode::bad_usage, fmt::format("--target {}", text), problem, remedy);
  };
  if (with_unit(text, "dB")) {
    throw refused("is a floor of the signal to noise ratio, not a size", "add --method floor");
  }
  if (const auto bare = positive(text); bare && *bare < fewest_bare_bytes) {
    throw refused("has no unit", fmt::format("did you mean {0}bpw (bits per weight), {0}% of the "
                                             "original, or {1} (bytes)?",
                                             text, parse_size(text) ? text + "B" : "whole bytes"));
  }
  Target target;
  target.bits_per_weight = with_unit(text, "bpw");
  if (const auto percent = with_unit(text, "%")) target.share = *percent / 100.0;
  target.bytes = parse_size(text);
  if (!target.bits_per_weight && !target.share && !target.bytes) {
    throw refused("is no size", "give it as 4.25bpw, 196GiB or 30%");
  }
  return target;
}

double parse_decibels(const std::string& text) {
  if (const auto decibels = with_unit(text, "dB")) return *decibels;
  throw Error(ExitCode::bad_usage, fmt::format("--target {}", text), "is no floor",
              positive(text) ? fmt::format("did you mean {}dB?", text)
                             : "give the smallest signal to noise ratio as 30dB");
}

std::map<std::string, formats::Encoding> parse_roles(const std::vector<std::string>& texts) {
  std::map<std::string, formats::Encoding> roles;
  for (const auto& text : texts) {
    const auto [role, value] = split_role("--role", text);
    if (value == "keep" || value == "16") {
      roles[role] = {};
      continue;
    }
    const auto colon = value.find(':');
    const auto bits = integer(value.substr(0, colon));
    const auto group =
        colon == std::string::npos ? std::optional(0) : integer(value.substr(colon + 1));
    const bool no_group = colon != std::string::npos && group == 0;
    if (!bits || *bits < 1 || *bits >= kept_bits || !group || no_group) {
      throw Error(ExitCode::bad_usage, fmt::format("--role {}", text), "says no format",
                  "write ROLE=BITS:GROUP, ROLE=BITS or ROLE=keep");
    }
    roles[role] = {"any", *bits, *group};
  }
  return roles;
}

std::map<std::string, std::int32_t> parse_min_bits(const std::vector<std::string>& texts) {
  std::map<std::string, std::int32_t> least;
  for (const auto& text : texts) {
    const auto [role, value] = split_role("--min-bits", text);
    const auto bits = integer(value);
    if (!bits || *bits < 1 || *bits > kept_bits) {
      throw Error(ExitCode::bad_usage, fmt::format("--min-bits {}", text), "says no bits",
                  "write ROLE=BITS, from 1 to 16");
    }
    least[role] = *bits;
  }
  return least;
}

allocation::Alpha parse_alphas(const std::vector<std::string>& texts) {
  allocation::Alpha alpha;
  for (const auto& text : texts) {
    if (text.find('=') == std::string::npos) {
      auto patterns = allocation::parse_alpha(read_text_file(text), text);
      alpha.patterns.insert(alpha.patterns.end(), patterns.begin(), patterns.end());
      continue;
    }
    const auto [role, value] = split_role("--alpha", text);
    const auto factor = csv_number(value);
    if (!factor || !std::isfinite(*factor) || *factor < 0.0) {
      throw Error(ExitCode::bad_usage, fmt::format("--alpha {}", text), "says no factor",
                  "write ROLE=FACTOR, or name a CSV file of patterns and factors");
    }
    alpha.by_role[role] = *factor;
  }
  return alpha;
}

}  // namespace moesweep::planning
