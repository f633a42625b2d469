#include "allocation_swept.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/catalog.hpp>

#include "allocation_options.hpp"

namespace moesweep::planning {
namespace {

using formats::Encoding;

constexpr std::int32_t kept_bits = 16;

/// sensitivity.bits is for these alone; block formats bring theirs.
bool has_bits(const Encoding& format) {
  const auto* const known = formats::find_format(format.quantizer);
  return known != nullptr && known->has_bits();
}

/// Block formats may bring their groups, too.
bool has_group_size(const Encoding& format) {
  const auto* const known = formats::find_format(format.quantizer);
  return known == nullptr || !known->has_fixed_block();
}

bool is_among(const std::vector<std::int32_t>& wanted, std::int32_t value) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

template <typename Value>
std::string list(const std::set<Value>& values) {
  if constexpr (std::is_same_v<Value, std::string>) {
    std::vector<std::string> quoted;
    for (const auto& value : values) quoted.push_back("\"" + value + "\"");
    return fmt::format("[{}]", fmt::join(quoted, ", "));
  } else {
    return fmt::format("[{}]", fmt::join(values, ", "));
  }
}

/// Of one of the three keys: the values that were swept, and those that have to be.
template <typename Value>
struct Key {
  std::set<Value> all;
  bool lacks = false;
  void add(const Value& value) { lacks = all.insert(value).second || lacks; }
};

/// Of those that fit an option the nearest to what was swept, for the remedy.
Error not_swept(const std::string& option, const std::set<Encoding>& candidates,
                const std::set<Encoding>& swept) {
  return Error(
      ExitCode::bad_usage, option,
      fmt::format("{} was not swept: what it costs is not known", how_text(*candidates.begin())),
      how_to_measure({*candidates.begin()}, swept));
}

std::string formats_text(std::span<const Encoding> formats) {
  std::set<std::int32_t> bits, groups;
  for (const auto& format : formats) {
    bits.insert(format.bits);
    groups.insert(format.group_size);
  }
  return fmt::format("{} bits in groups of {}", fmt::join(bits, ", "), fmt::join(groups, ", "));
}

}  // namespace

std::string how_text(const Encoding& format) {
  return format.keeps() ? "kept" : formats::text_of(format);
}

std::set<Encoding> swept_formats(std::span<const allocation::Tensor> tensors) {
  std::set<Encoding> swept;
  for (const auto& tensor : tensors) {
    for (const auto& [format, sse] : tensor.sse) {
      if (allocation::is_measured(tensor, format)) swept.insert(format);
    }
  }
  return swept;
}

std::string how_to_measure(const std::set<Encoding>& missing, const std::set<Encoding>& swept) {
  Key<std::string> quantizers;
  Key<std::int32_t> bits, groups;
  for (const auto& format : swept) {
    quantizers.all.insert(format.quantizer);
    if (has_bits(format)) bits.all.insert(format.bits);
    if (has_group_size(format)) groups.all.insert(format.group_size);
  }
  for (const auto& format : missing) {
    quantizers.add(format.quantizer);
    if (has_bits(format)) bits.add(format.bits);
    if (has_group_size(format)) groups.add(format.group_size);
  }
  std::vector<std::string> keys;
  if (quantizers.lacks) keys.push_back("sensitivity.quantizers = " + list(quantizers.all));
  if (bits.lacks) keys.push_back("sensitivity.bits = " + list(bits.all));
  if (groups.lacks) keys.push_back("sensitivity.group_sizes = " + list(groups.all));
  if (keys.empty()) return "`moesweep run` completes the sweep";
  return fmt::format("sweep with {}", fmt::join(keys, ", "));
}

void require_swept(const AllocateOptions& options, std::span<const Encoding> formats,
                   const std::set<Encoding>& swept) {
  if (swept.empty()) return;
  const auto require = [&](const char* option, std::int32_t value, auto fits) {
    std::set<Encoding> candidates;
    for (const auto& format : formats) {
      if (fits(format)) candidates.insert(format);
    }
    const auto is_swept = [&](const Encoding& format) { return swept.contains(format); };
    if (candidates.empty() || std::ranges::any_of(candidates, is_swept)) return;
    throw not_swept(fmt::format("{} {}", option, value), candidates, swept);
  };
  for (const auto value : options.bits) {
    if (value >= kept_bits) continue;
    require("--bits", value, [&](const Encoding& format) {
      return format.bits == value && is_among(options.group_sizes, format.group_size);
    });
  }
  for (const auto value : options.group_sizes) {
    require("--group-size", value, [&](const Encoding& format) {
      return format.group_size == value && is_among(options.bits, format.bits);
    });
  }
}

std::map<std::string, Encoding> role_formats(const AllocateOptions& options,
                                             std::span<const Encoding> formats,
                                             const std::set<Encoding>& swept,
                                             std::int32_t group_size) {
  auto roles = parse_roles(options.roles);
  for (auto& [role, wanted] : roles) {
    if (wanted.keeps()) continue;
    const auto rank = [&](const Encoding& format) {
      return std::tuple(!swept.contains(format), std::abs(format.group_size - group_size));
    };
    std::optional<Encoding> found;
    for (const auto& format : formats) {
      const bool fits = format.bits == wanted.bits &&
                        (wanted.group_size == 0 || format.group_size == wanted.group_size);
      if (fits && (!found || rank(format) < rank(*found))) found = format;
    }
    const auto option =
        fmt::format("--role {}={}{}", role, wanted.bits,
                    wanted.group_size == 0 ? std::string() : fmt::format(":{}", wanted.group_size));
    if (!found) {
      throw Error(ExitCode::bad_usage, option,
                  fmt::format("no format of {} is like that", names::runtime_name(options.runtime)),
                  "there are " + formats_text(formats));
    }
    if (!swept.empty() && !swept.contains(*found)) throw not_swept(option, {*found}, swept);
    wanted = *found;
  }
  return roles;
}

std::int32_t swept_group(std::span<const Encoding> formats, const std::set<Encoding>& swept,
                         std::int32_t bits, std::int32_t group_size) {
  std::optional<std::int32_t> nearest;
  for (const auto& format : formats) {
    if (!swept.contains(format) || (bits != 0 && format.bits != bits)) continue;
    if (!nearest || std::abs(format.group_size - group_size) < std::abs(*nearest - group_size)) {
      nearest = format.group_size;
    }
  }
  return nearest.value_or(group_size);
}

}  // namespace moesweep::planning
