#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include <moesweep/analysis/quality/samples.hpp>
#include <moesweep/core/base/hash.hpp>

#include "line_reader.hpp"
#include "sample_key.hpp"
#include "sample_parser.hpp"
#include "wide_sum.hpp"

namespace moesweep::quality {
namespace {

using records::SampleSumRow;

// Keeps a block within block_memory_bytes.
constexpr std::size_t most_groups = 50'000;

struct Group {
  SampleSumRow row;
  WideSum sum, squares, coherence, kept;
};

struct TextHash {
  std::size_t operator()(std::string_view text) const { return hash64(text); }
};

/// The samples of a block that have names. A block has room for some 300,000 lines, so they fit.
class NamedSamples {
 public:
  void add(const Sample& sample, const LineReader& reader) {
    if (sample.id.empty()) return;
    const auto [found, is_new] =
        offsets_.try_emplace(sample_key(sample, scratch_), reader.line_offset());
    if (!is_new) throw told_twice(sample, reader, found->second);
  }

 private:
  std::string scratch_;
  std::unordered_map<Hash128, std::uint64_t, HashOfKey> offsets_;
};

class Groups {
 public:
  explicit Groups(double gate) : gate_(gate) {}

  void add(const Sample& sample, const LineReader& reader) {
    auto& group = group_of(sample, reader);
    auto& row = group.row;
    row.tokens += sample.tokens;
    if (std::isnan(sample.score)) {
      ++row.missing;
      return;
    }
    ++row.samples;
    if (sample.score != 0.0 && sample.score != 1.0) row.yes_no = 0;
    group.sum.add(sample.score);
    group.squares.add_square(sample.score);
    if (!(sample.score >= row.minimum)) row.minimum = sample.score;
    if (!(sample.score <= row.maximum)) row.maximum = sample.score;
    if (std::isnan(sample.coherence)) return;
    ++row.rated;
    group.coherence.add(sample.coherence);
    if (sample.coherence < gate_) {
      ++row.filtered;
    } else {
      group.kept.add(sample.score);
    }
  }

  std::vector<SampleSumRow> rows() {
    std::vector<SampleSumRow> out;
    for (auto& group : groups_) {
      auto& row = group.row;
      row.sum_high = group.sum.high;
      row.sum_low = group.sum.low;
      row.squares_high = group.squares.high;
      row.squares_low = group.squares.low;
      row.coherence_high = group.coherence.high;
      row.coherence_low = group.coherence.low;
      row.kept_high = group.kept.high;
      row.kept_low = group.kept.low;
      out.push_back(std::move(row));
    }
    return out;
  }

 private:
  // Samples of a group mostly follow each other.
  Group& group_of(const Sample& sample, const LineReader& reader) {
    key_.clear();
    for (const auto part : {sample.model, sample.level, sample.task, sample.metric}) {
      key_ += part;
      key_ += '\0';
    }
    if (key_ == last_key_) return groups_[last_];
    const auto [found, is_new] = places_.try_emplace(key_, groups_.size());
    if (is_new) {
      if (groups_.size() == most_groups) {
        throw reader.complaint(fmt::format(
            "is of one more group of model, level, task and metric than the {} that a block may "
            "have: is a sample's name in one of them?",
            most_groups));
      }
      Group group;
      group.row.model = sample.model;
      group.row.level = sample.level;
      group.row.task = sample.task;
      group.row.metric = sample.metric;
      groups_.push_back(std::move(group));
    }
    last_ = found->second;
    last_key_ = key_;
    return groups_[last_];
  }

  double gate_;
  std::string key_, last_key_;
  std::size_t last_ = 0;
  std::unordered_map<std::string, std::size_t, TextHash> places_;
  std::vector<Group> groups_;
};

}  // namespace

std::vector<Block> cut_blocks(std::uint64_t file_bytes) {
  std::vector<Block> blocks;
  for (std::uint64_t begin = 0; begin < file_bytes; begin += block_bytes) {
    blocks.push_back({begin, std::min(begin + block_bytes, file_bytes)});
  }
  return blocks;
}

std::vector<SampleSumRow> add_up(const std::filesystem::path& file, const Block& block,
                                 double coherence_gate) {
  LineReader reader(file, block);
  SampleParser parser;
  Groups groups(coherence_gate);
  NamedSamples named;
  Sample sample;
  while (const auto line = reader.next()) {
    if (!parser.parse(*line, reader, sample)) continue;
    named.add(sample, reader);
    groups.add(sample, reader);
  }
  return groups.rows();
}

}  // namespace moesweep::quality
