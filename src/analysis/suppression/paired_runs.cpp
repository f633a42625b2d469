#include "paired_runs.hpp"

#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/sound_rows.hpp>

namespace moesweep::suppression {
namespace {

constexpr std::string_view predictions = "suppression/predictions";

using PredictionOfSeed = std::map<std::int64_t, std::string>;
using Source = std::tuple<std::string, std::string, std::string>;  // variant, layer, pooling
using BaselineKey = std::tuple<Source, std::string>;               // and head

struct Gathered {
  std::map<BaselineKey, PredictionOfSeed> without;
  std::map<Source, std::set<std::string>> heads;
  std::map<RunKey, PredictionOfSeed> with;
};

void add(PredictionOfSeed& to, std::int64_t seed, const std::string& predicted) {
  records::require_sound(to.emplace(seed, predicted).second, predictions,
                         "there are two predictions of one seed");
}

Gathered gather(const ReduceInput& input) {
  Gathered all;
  for (const auto& row : input.without) {
    const Source source{row.variant, row.layer, row.pooling};
    add(all.without[{source, row.head}], row.seed, row.predicted);
    all.heads[source].insert(row.head);
  }
  for (const auto& row : input.with) {
    const RunKey key{row.variant, row.head, row.layer, row.pooling, row.mode, row.parameter};
    add(all.with[key], row.seed, row.predicted);
  }
  return all;
}

void pair_seeds(const PredictionOfSeed& without, const PredictionOfSeed& with, PairedRuns& runs) {
  for (const auto& [seed, predicted] : with) {
    const auto partner = without.find(seed);
    if (partner == without.end()) continue;
    records::require_sound(partner->second.size() == predicted.size(), predictions,
                           "heads with and without are of different samples");
    runs.seeds.push_back(seed);
    runs.without.push_back(partner->second);
    runs.with.push_back(predicted);
  }
  runs.unpaired_seeds = static_cast<std::int64_t>(with.size() + without.size()) -
                        2 * static_cast<std::int64_t>(runs.seeds.size());
}

}  // namespace

std::vector<PairedRuns> pair_runs(const ReduceInput& input) {
  Gathered all = gather(input);
  std::map<RunKey, std::string> no_ops;
  for (const auto& row : input.settings) {
    auto heads = all.heads[{row.variant, row.layer, row.pooling}];
    if (heads.empty()) heads.insert("");
    for (const std::string& head : heads) {
      const RunKey key{row.variant, head, row.layer, row.pooling, row.mode, row.parameter};
      all.with.try_emplace(key);
      if (row.structural_no_op == 1) no_ops[key] = row.reason;
    }
  }
  std::vector<PairedRuns> runs;
  for (const auto& [key, with] : all.with) {
    runs.emplace_back().key = key;
    if (const auto found = no_ops.find(key); found != no_ops.end()) {
      runs.back().no_op_reason = found->second;
      continue;
    }
    const Source source{key.variant, key.layer, key.pooling};
    pair_seeds(all.without[{source, key.head}], with, runs.back());
  }
  return runs;
}

}  // namespace moesweep::suppression
