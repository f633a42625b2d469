#include "model_files.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/text.hpp>

namespace moesweep::checkpoint {
namespace {

struct Stray {
  const char* glob;
  const char* what;
};
constexpr std::array strays = {
    Stray{"._*", "written by macOS beside the file of that name"},
    Stray{"adapter_*", "an adapter"},
    Stray{"optimizer*", "the state of an optimizer"},
    Stray{"scheduler*", "the state of a scheduler"},
    Stray{"random_states*", "the state of a random generator"},
    Stray{"rng_state*", "the state of a random generator"},
    Stray{"training_args*", "arguments of a training"},
};
constexpr Stray original = {"consolidated*", "the same weights under their original names"};

std::string ignored_text(const std::string& name, const Stray& stray) {
  return fmt::format("{} ({})", name, stray.what);
}

/// More shards than any checkpoint has: a number that a file name can claim.
constexpr std::int64_t most_shards = 100'000;

struct ShardName {
  std::string prefix;  ///< "model-"
  std::int64_t index = 0;
  std::int64_t count = 0;
  std::size_t width = 0;  ///< digits of the index
  std::string suffix;     ///< "-of-00003.safetensors"
};

std::optional<std::int64_t> number(std::string_view digits) {
  std::int64_t value = 0;
  const auto* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  const bool whole = parsed.ec == std::errc{} && parsed.ptr == end;
  return whole && value >= 0 && value <= most_shards ? std::optional(value) : std::nullopt;
}

std::optional<ShardName> shard_name(std::string_view name) {
  constexpr std::string_view of = "-of-";
  constexpr std::string_view extension = ".safetensors";
  const auto at = name.rfind(of);
  if (at == std::string_view::npos || !name.ends_with(extension)) return std::nullopt;
  const auto dash = name.substr(0, at).rfind('-');
  const auto first = dash == std::string_view::npos ? 0 : dash + 1;
  const auto digits = name.substr(first, at - first);
  const auto index = number(digits);
  const auto begin = at + of.size();
  const auto count = number(name.substr(begin, name.size() - extension.size() - begin));
  if (!index || !count) return std::nullopt;
  return ShardName{std::string(name.substr(0, first)), *index, *count, digits.size(),
                   std::string(name.substr(at))};
}

}  // namespace

ModelFiles model_files(const std::vector<std::string>& names) {
  ModelFiles files;
  std::vector<std::string> originals;
  for (const auto& name : names) {
    const auto stray = std::ranges::find_if(
        strays, [&](const Stray& candidate) { return matches_glob(candidate.glob, name); });
    if (stray != strays.end()) {
      files.ignored.push_back(ignored_text(name, *stray));
    } else {
      (matches_glob(original.glob, name) ? originals : files.model).push_back(name);
    }
  }
  if (files.model.empty()) {
    files.model = std::move(originals);
  } else {
    for (const auto& name : originals) files.ignored.push_back(ignored_text(name, original));
  }
  return files;
}

std::vector<std::string> missing_shards(const std::vector<std::string>& names) {
  std::map<std::pair<std::string, std::string>, std::set<std::int64_t>> sets;
  std::map<std::pair<std::string, std::string>, ShardName> shown;
  for (const auto& name : names) {
    if (auto shard = shard_name(name)) {
      const std::pair key(shard->prefix, shard->suffix);
      sets[key].insert(shard->index);
      shown.emplace(key, std::move(*shard));
    }
  }
  std::vector<std::string> missing;
  for (const auto& [key, indices] : sets) {
    const auto& shard = shown.at(key);
    const std::int64_t first = indices.contains(0) ? 0 : 1;
    for (auto index = first; index < first + shard.count; ++index) {
      if (indices.contains(index)) continue;
      missing.push_back(fmt::format("{}{:0{}}{}", shard.prefix, index, shard.width, shard.suffix));
    }
  }
  return missing;
}

}  // namespace moesweep::checkpoint
