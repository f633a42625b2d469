#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/model/names/runtime.hpp>
#include <moesweep/model/source/whole.hpp>

namespace moesweep::source {
namespace {

using checkpoint::Checkpoint;
using Indices = std::set<std::int64_t>;

/// The name up to and with the index that follows `digits` of the pattern's first `marker`:
/// "model.layers.17.mlp.up_proj" is {"model.layers.", ".mlp.up_proj"} for "{layer}".
struct Split {
  std::string before;
  std::string after;
};

Split split_at(const std::string& pattern, const std::string& marker) {
  const auto at = pattern.find(marker);
  return {pattern.substr(0, at), pattern.substr(at + marker.size())};
}

/// "0-3, 7": runs of the numbers below `count` that are not there.
std::string ranges_not_in(const Indices& there, std::int64_t count) {
  constexpr std::size_t most_ranges = 4;
  std::vector<std::string> ranges;
  std::int64_t first = 0;
  const auto add_gap = [&](std::int64_t end) {
    if (first == end - 1) ranges.push_back(fmt::format("{}", first));
    if (first < end - 1) ranges.push_back(fmt::format("{}-{}", first, end - 1));
  };
  for (const auto index : there) {
    if (index >= count) break;
    add_gap(index);
    first = index + 1;
  }
  add_gap(count);
  if (ranges.size() > most_ranges) {
    ranges.resize(most_ranges);
    ranges.emplace_back("...");
  }
  return fmt::format("{}", fmt::join(ranges, ", "));
}

std::int64_t lacking(const Indices& there, std::int64_t count) {
  const auto first = there.lower_bound(0);
  return count - std::distance(first, there.lower_bound(count));
}

void add_missing_layers(const Checkpoint& checkpoint, const ModelConfig& config,
                        std::vector<std::string>& missing) {
  std::map<std::string, Indices> lists;
  for (const auto& tensor : checkpoint.tensors) {
    const auto layer = names::layer_of(tensor.name);
    const bool sees = names::role_of(tensor.name, tensor.shape, {}) == names::Role::vision;
    if (layer < 0 || sees) continue;
    lists[split_at(names::pattern_of(tensor.name), "{layer}").before].insert(layer);
  }
  if (config.layers == 0 || lists.empty()) return;
  const auto longest = std::ranges::min_element(
      lists, {}, [&](const auto& list) { return lacking(list.second, config.layers); });
  const auto absent = lacking(longest->second, config.layers);
  if (absent == 0) return;
  missing.push_back(fmt::format("{} of {} layers ({}{})", absent, config.layers, longest->first,
                                ranges_not_in(longest->second, config.layers)));
}

/// Experts of one matrix in one layer: stored one by one, or as a stack of that many.
void add_missing_experts(const Checkpoint& checkpoint, const ModelConfig& config,
                         const std::vector<std::string>& patterns,
                         std::vector<std::string>& missing) {
  if (config.experts == 0) return;
  constexpr std::size_t most_named = 3;
  struct Experts {
    Indices indices;
    std::string shown;
  };
  std::map<std::pair<std::int64_t, std::string>, Experts> lists;
  std::vector<std::string> found;
  for (const auto& tensor : checkpoint.tensors) {
    const auto expert = names::expert_of(tensor.name);
    if (expert >= 0) {
      const auto pattern = names::pattern_of(tensor.name);
      auto& list = lists[{names::layer_of(tensor.name), pattern}];
      list.indices.insert(expert);
      if (list.shown.empty()) list.shown = tensor.name;
    } else if (names::is_expert_stack(tensor.name, tensor.shape, patterns) &&
               tensor.shape[0] < config.experts) {
      found.push_back(fmt::format("{} of {} experts ({} has {})", config.experts - tensor.shape[0],
                                  config.experts, tensor.name, tensor.shape[0]));
    }
  }
  for (const auto& [key, list] : lists) {
    const auto absent = lacking(list.indices, config.experts);
    if (absent == 0) continue;
    const auto [before, after] = split_at(list.shown, fmt::format(".{}.", *list.indices.begin()));
    found.push_back(fmt::format("{} of {} experts ({} beside {})", absent, config.experts,
                                ranges_not_in(list.indices, config.experts), list.shown));
  }
  const auto shown = std::min(found.size(), most_named);
  missing.insert(missing.end(), found.begin(), found.begin() + static_cast<std::ptrdiff_t>(shown));
  if (shown < found.size()) {
    missing.push_back(
        fmt::format("experts of {} more matrices", format_count(std::ssize(found) - 3)));
  }
}

bool is_named_head(const std::string& name) {
  return name == "output.weight" || name.starts_with("lm_head.") ||
         name.starts_with("embed_out.") || name.find(".lm_head.") != std::string::npos ||
         name.find(".embed_out.") != std::string::npos;
}

/// By its name, or as a matrix outside of the layers with a row for each word of an embedding.
bool has_head(const Checkpoint& checkpoint) {
  std::set<std::int64_t> vocabularies;
  const auto role = [](const checkpoint::Tensor& tensor) {
    return names::role_of(tensor.name, tensor.shape, {});
  };
  for (const auto& tensor : checkpoint.tensors) {
    if (tensor.shape.size() == 2 && role(tensor) == names::Role::embedding) {
      vocabularies.insert(tensor.shape[0]);
    }
  }
  return std::ranges::any_of(checkpoint.tensors, [&](const checkpoint::Tensor& tensor) {
    return is_named_head(tensor.name) ||
           (tensor.shape.size() == 2 && vocabularies.contains(tensor.shape[0]) &&
            names::layer_of(tensor.name) < 0 && role(tensor) != names::Role::embedding);
  });
}

void add_missing_head(const Checkpoint& checkpoint, const ModelConfig& config,
                      std::vector<std::string>& missing) {
  const bool untied_family =
      config.model_type != "generic" && names::is_known_architecture(config.model_type);
  const bool untied = config.tied ? !*config.tied : untied_family;
  if (!untied || !config.causal.value_or(true)) return;
  if (has_head(checkpoint)) return;
  missing.push_back(config.tied
                        ? "the output head (no lm_head, and tie_word_embeddings is false)"
                        : fmt::format("the output head (no lm_head, which {} does not tie to the "
                                      "embedding)",
                                      config.model_type));
}

}  // namespace

std::vector<std::string> missing_parts(const Checkpoint& checkpoint, const ModelConfig& config,
                                       const std::vector<std::string>& expert_patterns) {
  std::vector<std::string> missing;
  add_missing_layers(checkpoint, config, missing);
  add_missing_experts(checkpoint, config, expert_patterns, missing);
  add_missing_head(checkpoint, config, missing);
  return missing;
}

}  // namespace moesweep::source
