#include <cstring>
#include <map>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include <moesweep/analysis/quality/samples.hpp>
#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/stats/paired.hpp>

#include "line_reader.hpp"
#include "sample_key.hpp"
#include "sample_parser.hpp"

namespace moesweep::quality {
namespace {

using records::CapabilityOverlapRow;

constexpr std::uint64_t part_bytes = std::uint64_t{512} << 20;
constexpr std::size_t most_levels = 64;  // a bit each

struct Solved {
  std::size_t group = 0;
  std::uint64_t present = 0;
  std::uint64_t solved = 0;
};

struct Group {
  std::string model, task, metric;
};

class Overlap {
 public:
  Overlap(std::filesystem::path file, Part part, const Options& options)
      : file_(std::move(file)), part_(part), options_(options) {}

  void add(const Sample& sample, const LineReader& reader) {
    if (sample.id.empty() || sample.score != sample.score) return;
    key_.assign(sample.metric);
    if (!contains(options_.capability, key_)) return;
    const auto group_length = append(sample.model) + append(sample.task);
    append(sample.id);
    const auto hash = hash128(std::as_bytes(std::span(key_)));
    std::uint64_t word = 0;
    std::memcpy(&word, hash.bytes.data() + sizeof word, sizeof word);
    if (word % part_.parts != part_.part) return;
    key_.resize(sample.metric.size() + group_length);
    auto& entry = entry_of(hash, sample, reader);
    const auto bit = std::uint64_t{1} << level_of(sample.level, reader);
    if ((entry.present & bit) != 0) {
      // The lines of all samples are too many to keep: looked for when one is asked for.
      std::string scratch;
      throw told_twice(sample, reader, offset_of_first(file_, sample_key(sample, scratch)));
    }
    entry.present |= bit;
    if (sample.score >= 0.5) entry.solved |= bit;
  }

  std::vector<CapabilityOverlapRow> rows() const {
    std::map<std::tuple<std::string, std::string, std::string, std::string>, CapabilityOverlapRow>
        found;
    const auto baseline = levels_.find(options_.baseline);
    if (baseline == levels_.end()) return {};
    for (const auto& [hash, entry] : entries_) {
      if ((entry.present >> baseline->second & 1U) == 0) continue;
      const bool by_baseline = (entry.solved >> baseline->second & 1U) != 0;
      const auto& group = groups_[entry.group];
      for (const auto& [level, place] : levels_) {
        if (place == baseline->second || (entry.present >> place & 1U) == 0) continue;
        auto& row = found[{group.model, level, group.task, group.metric}];
        const bool by_level = (entry.solved >> place & 1U) != 0;
        ++row.samples;
        ++(by_baseline ? (by_level ? row.both : row.only_baseline)
                       : (by_level ? row.only_level : row.neither));
      }
    }
    std::vector<CapabilityOverlapRow> out;
    for (auto& [key, row] : found) {
      std::tie(row.model, row.level, row.task, row.metric) = key;
      out.push_back(row);
    }
    return out;
  }

 private:
  std::size_t append(std::string_view part) {
    key_ += '\0';
    key_ += part;
    return part.size() + 1;
  }

  Solved& entry_of(const Hash128& hash, const Sample& sample, const LineReader& reader) {
    const auto [found, is_new] = entries_.try_emplace(hash);
    if (!is_new) return found->second;
    if (entries_.size() > static_cast<std::size_t>(overlap_samples)) {
      throw reader.complaint(
          fmt::format("is one more sample of capability than the {} that are compared at once",
                      overlap_samples));
    }
    const auto [group, new_group] = group_places_.try_emplace(key_, groups_.size());
    if (new_group) {
      groups_.push_back(
          {std::string(sample.model), std::string(sample.task), std::string(sample.metric)});
    }
    found->second.group = group->second;
    return found->second;
  }

  std::size_t level_of(std::string_view name, const LineReader& reader) {
    const auto found = levels_.find(name);
    if (found != levels_.end()) return found->second;
    if (levels_.size() == most_levels) {
      throw reader.complaint("is of the 65th level, overlap is of 64 at most");
    }
    const auto place = levels_.size();
    levels_.emplace(name, place);
    return place;
  }

  std::filesystem::path file_;
  Part part_;
  const Options& options_;
  std::string key_;
  std::map<std::string, std::size_t, std::less<>> levels_;
  std::unordered_map<std::string, std::size_t> group_places_;
  std::vector<Group> groups_;
  std::unordered_map<Hash128, Solved, HashOfKey> entries_;
};

}  // namespace

std::uint64_t overlap_parts(std::uint64_t file_bytes) {
  return 1 + file_bytes / part_bytes;
}

std::vector<CapabilityOverlapRow> overlap(const std::filesystem::path& file, Part part,
                                          const Options& options) {
  LineReader reader(file, {0, ~std::uint64_t{0}});
  SampleParser parser;
  Overlap overlap(file, part, options);
  Sample sample;
  while (const auto line = reader.next()) {
    if (parser.parse(*line, reader, sample)) overlap.add(sample, reader);
  }
  return overlap.rows();
}

std::vector<CapabilityOverlapRow> join_overlap(const std::vector<CapabilityOverlapRow>& rows) {
  std::map<std::tuple<std::string, std::string, std::string, std::string>, CapabilityOverlapRow>
      joined;
  for (const auto& row : rows) {
    const auto [found, is_new] =
        joined.try_emplace(std::tuple(row.model, row.level, row.task, row.metric), row);
    if (is_new) continue;
    auto& sum = found->second;
    sum.samples += row.samples;
    sum.both += row.both;
    sum.only_baseline += row.only_baseline;
    sum.only_level += row.only_level;
    sum.neither += row.neither;
  }
  std::vector<CapabilityOverlapRow> out;
  for (auto& [key, row] : joined) {
    const auto any = row.both + row.only_baseline + row.only_level;
    if (any > 0) row.overlap = static_cast<double>(row.both) / static_cast<double>(any);
    row.p = stats::mcnemar_exact(row.only_baseline, row.only_level);
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace moesweep::quality
