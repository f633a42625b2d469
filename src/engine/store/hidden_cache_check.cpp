#include "hidden_cache_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/engine/store/hidden_cache.hpp>

#include "hidden_cache_layout.hpp"

namespace moesweep::store {
namespace {

using records::HiddenCacheInfo;

using records::split_names;

class Check {
 public:
  Check(const HiddenCacheInfo& info, const std::string& file_name)
      : info_(info), file_name_(file_name) {}

  void lengths() const;
  void labels() const;
  void splits() const;
  void sample_ids() const;
  void clusters() const;
  void spans() const;

 private:
  [[noreturn]] void refuse(const std::string& dataset, const std::string& problem,
                           const std::string& remedy) const {
    throw Error(ExitCode::bad_input, fmt::format("{}:/{}", file_name_, dataset), problem, remedy);
  }
  std::string sample(std::size_t i) const {
    return fmt::format("sample {} (\"{}\")", i, info_.sample_id[i]);
  }
  void spans_of(std::size_t i) const;
  std::size_t samples() const { return info_.sample_id.size(); }

  const HiddenCacheInfo& info_;
  const std::string& file_name_;
};

void Check::lengths() const {
  const auto require = [&](const char* dataset, std::size_t have, std::int64_t want) {
    if (std::cmp_equal(have, want)) return;
    refuse(dataset, fmt::format("holds {} values, {} were expected", have, want),
           "every dataset holds the same samples and spans");
  };
  const auto samples = info_.samples;
  require(layout::sample_id, info_.sample_id.size(), samples);
  require(layout::labels, info_.label.size(), samples);
  require(layout::split, info_.split.size(), samples);
  require(layout::cited, info_.cited.size(), samples * info_.spans);
  require(layout::span_tokens, info_.span_tokens.size(), samples * info_.spans * 2);
  if (!info_.cluster.empty()) require(layout::cluster, info_.cluster.size(), samples);
  if (!info_.n_tokens.empty() || info_.spans > 0) {
    require(layout::n_tokens, info_.n_tokens.size(), samples);
  }
}

void Check::labels() const {
  constexpr std::size_t most_labels = 10;
  if (info_.label_names.size() > most_labels) {
    refuse(layout::labels,
           fmt::format("there are {} labels, at most {} can be told apart",
                       info_.label_names.size(), most_labels),
           "join labels that mean the same decision");
  }
  for (const auto* names : {&info_.label_names, &info_.layers}) {
    for (const auto& name : *names) {
      if (name.find(',') == std::string::npos) continue;
      refuse(layout::labels, fmt::format("the name \"{}\" holds a comma", name),
             "attributes list names of labels and layers between commas");
    }
  }
  for (std::size_t c = 0; c < info_.label_names.size(); ++c) {
    const auto& name = info_.label_names[c];
    const auto before = info_.label_names.begin() + static_cast<std::ptrdiff_t>(c);
    if (name.empty() || std::find(info_.label_names.begin(), before, name) != before) {
      refuse(layout::labels, fmt::format("the name of label {} is empty or not the only one", c),
             "name each label once in the attribute label_names");
    }
  }
  for (std::size_t i = 0; i < samples(); ++i) {
    if (info_.label[i] >= 0 && std::cmp_less(info_.label[i], info_.label_names.size())) continue;
    refuse(layout::labels,
           fmt::format("label {} of {} has no name, label_names lists {}", info_.label[i],
                       sample(i), info_.label_names.size()),
           "labels count from 0 in the order of label_names");
  }
}

void Check::splits() const {
  std::array<std::size_t, split_names.size()> counts{};
  for (std::size_t i = 0; i < samples(); ++i) {
    if (info_.split[i] < 0 || std::cmp_greater_equal(info_.split[i], counts.size())) {
      refuse(layout::split, fmt::format("split {} of {} is unknown", info_.split[i], sample(i)),
             "write 0 for train, 1 for calibration, 2 for test");
    }
    ++counts[static_cast<std::size_t>(info_.split[i])];
  }
  for (const auto needed : {records::Split::train, records::Split::test}) {
    const auto split = static_cast<std::size_t>(needed);
    if (counts[split] > 0) continue;
    refuse(layout::split, fmt::format("no sample is in the {} split", split_names[split]),
           fmt::format("write {} for the samples of that split", split));
  }
}

void Check::sample_ids() const {
  std::unordered_map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < samples(); ++i) {
    if (info_.sample_id[i].empty()) {
      refuse(layout::sample_id, fmt::format("sample {} has no id", i), "name every sample");
    }
    const auto [found, is_new] = first.emplace(info_.sample_id[i], i);
    if (is_new) continue;
    const auto here = static_cast<std::size_t>(info_.split[i]);
    const auto there = static_cast<std::size_t>(info_.split[found->second]);
    const auto problem =
        here == there ? fmt::format("{} has the id of sample {}", sample(i), found->second)
                      : fmt::format("{} of the {} split is also in the {} split: splits overlap",
                                    sample(i), split_names[here], split_names[there]);
    refuse(layout::sample_id, problem, "keep each sample once, in one split");
  }
}

void Check::clusters() const {
  std::unordered_map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < info_.cluster.size(); ++i) {
    if (info_.cluster[i].empty()) continue;  // on its own
    const auto [found, is_new] = first.emplace(info_.cluster[i], i);
    if (is_new || info_.split[i] == info_.split[found->second]) continue;
    refuse(layout::cluster,
           fmt::format("cluster \"{}\" is in two splits: {} and {}", info_.cluster[i],
                       sample(found->second), sample(i)),
           "samples of one cluster are not independent, put them into one split");
  }
}

void Check::spans_of(std::size_t i) const {
  const auto spans = static_cast<std::size_t>(info_.spans);
  const auto* tokens = &info_.span_tokens[i * spans * 2];
  std::vector<std::pair<std::int32_t, std::int32_t>> ranges;
  for (std::size_t j = 0; j < spans; ++j) {
    const auto [begin, end] = std::pair(tokens[2 * j], tokens[2 * j + 1]);
    if (begin < 0 || end < begin || end > info_.n_tokens[i]) {
      refuse(layout::span_tokens,
             fmt::format("span {} of {} is [{}, {}), the sample has {} tokens", j, sample(i), begin,
                         end, info_.n_tokens[i]),
             "a span is a start and an exclusive end within the sample");
    }
    const auto cited = info_.cited[i * spans + j];
    if (cited != 0 && cited != 1) {
      refuse(layout::cited, fmt::format("span {} of {} has {}", j, sample(i), cited),
             "write 1 for a span that is evidence for the label, else 0");
    }
    if (begin < end) ranges.emplace_back(begin, end);
  }
  std::ranges::sort(ranges);
  for (std::size_t j = 1; j < ranges.size(); ++j) {
    if (ranges[j].first >= ranges[j - 1].second) continue;
    refuse(layout::span_tokens,
           fmt::format("two spans of {} share token {}", sample(i), ranges[j].first),
           "spans of a sample may not overlap");
  }
}

void Check::spans() const {
  for (std::size_t i = 0; i < info_.n_tokens.size(); ++i) {
    if (info_.n_tokens[i] < 1) {
      refuse(layout::n_tokens, fmt::format("{} has {} tokens", sample(i), info_.n_tokens[i]),
             "every sample has at least one token");
    }
  }
  if (info_.spans == 0) return;
  for (std::size_t i = 0; i < samples(); ++i) spans_of(i);
}

bool is_plain_part(const std::string& part) {
  return !part.empty() && part != "." && part != ".." && !has_control_characters(part);
}

}  // namespace

std::string problem_with_dataset_name(std::string_view name) {
  constexpr std::array of_samples = {layout::labels,   layout::split,   layout::sample_id,
                                     layout::cluster,  layout::cited,   layout::span_tokens,
                                     layout::n_tokens, layout::offsets, layout::spans};
  const auto parts = split_text(name, '/');
  if (parts.size() != 2) return "is not a layer and a dataset with one '/' between them";
  if (!std::ranges::all_of(parts, is_plain_part)) {
    return "has a part that is empty, \".\", \"..\" or not printable";
  }
  if (std::ranges::find(of_samples, parts[0]) != of_samples.end()) {
    return fmt::format("has a layer with the name of the dataset {}", parts[0]);
  }
  return {};
}

void check_dataset_name(const std::string& dataset, const std::string& file_name) {
  const auto problem = problem_with_dataset_name(dataset);
  if (problem.empty()) return;
  throw Error(ExitCode::bad_input, fmt::format("{}:/{}", file_name, dataset), problem,
              "name it as L1/mean is");
}

void check_samples(const HiddenCacheInfo& info, const std::string& file_name) {
  const Check check(info, file_name);
  check.lengths();
  check.labels();
  check.splits();
  check.sample_ids();
  check.clusters();
  check.spans();
}

void check_finite(std::span<const float> values, std::size_t first, const StateRows& rows) {
  const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  if (bad == values.end()) return;
  const auto at = first + static_cast<std::size_t>(bad - values.begin());
  throw Error(ExitCode::bad_input, fmt::format("{}:/{}", rows.file_name, rows.dataset),
              fmt::format("holds {} at {} {}, value {}", *bad, rows.row_name, at / rows.row_values,
                          at % rows.row_values),
              "states must be finite float32: leave that sample out or compute it again");
}

}  // namespace moesweep::store
