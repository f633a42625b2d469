#include "summary.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/core/records/sensitivity.hpp>

#include "hidden_summary.hpp"
#include "quality_summary.hpp"
#include "text_table.hpp"

namespace moesweep::cli {
namespace {

using records::TensorRow;

constexpr std::size_t shown = 5;
// A 16-bit scale and a 16-bit bias for each 128 weights.
constexpr double group_overhead_bits = 32.0 / 128.0;

/// "-" for what was not measured.
std::string number(double value, int digits) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, digits);
}

/// By what tensors are ranked, most sensitive first.
struct Ranking {
  const char* column;
  double (*value)(const TensorRow&);
  int digits;
  bool largest_first;
};

double composite_of(const TensorRow& tensor) {
  return tensor.composite;
}

/// In decibels, after rounding to 4 bits in groups of 128.
double sqnr_of(const TensorRow& tensor) {
  return -20.0 * std::log10(tensor.nrmse_rtn_4bit_g128);
}

constexpr Ranking composite_ranking = {"composite", composite_of, 4, true};
constexpr Ranking sqnr_ranking = {"SQNR dB", sqnr_of, 2, false};

void print_ranking(const char* title, const Ranking& ranking,
                   const std::vector<TensorRow>& tensors) {
  fmt::print("{}\n", title);
  const bool has_bits = &ranking == &composite_ranking;
  std::vector<std::string> columns = {ranking.column};
  if (has_bits) columns.emplace_back("bits");
  for (const auto* column : {"kurtosis", "concentration", "noise", "nrmse", "tensor"}) {
    columns.emplace_back(column);
  }
  TextTable table(columns);
  for (const auto& tensor : tensors) {
    std::vector<std::string> cells = {number(ranking.value(tensor), ranking.digits)};
    if (has_bits) cells.push_back(fmt::format("{}", tensor.bits));
    cells.push_back(number(tensor.excess_kurtosis, 3));
    cells.push_back(number(tensor.spectral_concentration, 4));
    cells.push_back(number(tensor.noise_amplification, 4));
    cells.push_back(number(tensor.nrmse_rtn_4bit_g128, 4));
    cells.push_back(tensor.name);
    table.add(cells);
  }
  table.print();
  fmt::print("\n");
}

std::vector<TensorRow> ranked_by(const Ranking& ranking, const std::vector<TensorRow>& tensors) {
  std::vector<TensorRow> ranked;
  std::copy_if(tensors.begin(), tensors.end(), std::back_inserter(ranked),
               [&](const TensorRow& tensor) { return !std::isnan(ranking.value(tensor)); });
  std::stable_sort(ranked.begin(), ranked.end(), [&](const auto& a, const auto& b) {
    const double first = ranking.value(a), second = ranking.value(b);
    return ranking.largest_first ? first > second : first < second;
  });
  return ranked;
}

void print_ranked(const Ranking& ranking, const std::vector<TensorRow>& ranked) {
  const auto middle = static_cast<std::ptrdiff_t>(std::min(shown, ranked.size()));
  print_ranking("most sensitive", ranking, {ranked.begin(), ranked.begin() + middle});
  print_ranking("least sensitive", ranking, {ranked.end() - middle, ranked.end()});
}

/// The rule could not decide: the table keeps such a tensor, a summary must not call that its bits.
bool is_undecided(const TensorRow& tensor) {
  return tensor.reason.starts_with("composite not measured");
}

void print_undecided(const std::vector<TensorRow>& tensors) {
  const auto count = std::ranges::count_if(tensors, is_undecided);
  if (count == 0) return;
  const auto& first = *std::ranges::find_if(tensors, is_undecided);
  std::vector<std::string> missing;
  if (std::isnan(first.score_svd)) missing.emplace_back("spectrum");
  if (std::isnan(first.score_kurtosis)) missing.emplace_back("moments");
  if (std::isnan(first.score_noise)) missing.emplace_back("noise");
  if (std::isnan(first.score_error)) missing.emplace_back("error");
  fmt::print(
      "{} tensors have no composite, hence no bits by SWAN's rule: not measured: {} "
      "(sensitivity.metrics); `moesweep allocate` needs error alone\n",
      format_count(count), fmt::join(missing, ", "));
}

struct BitClass {
  std::int64_t tensors = 0;
  std::int64_t params = 0;
  double bytes = 0.0;
};

/// Nothing unless the bits of all tensors are decided: an average of the others is none.
void print_bits(const records::Tables& tables, const std::vector<TensorRow>& tensors) {
  std::map<std::string, std::int64_t> stored_bytes;
  for (const auto& row : records::rows_of<records::CheckpointTensorRow>(tables)) {
    stored_bytes[row.name] = row.bytes;
  }
  std::map<std::int32_t, BitClass> classes;
  BitClass all;
  double stored = 0.0;
  for (const auto& tensor : tensors) {
    if (is_undecided(tensor)) return;
    const auto kept = static_cast<double>(stored_bytes[tensor.name]);
    const auto params = static_cast<double>(tensor.params);
    const double bytes =
        tensor.bits == 16 ? kept : params * (tensor.bits + group_overhead_bits) / 8.0;
    for (auto* counted : {&classes[tensor.bits], &all}) {
      ++counted->tensors;
      counted->params += tensor.params;
      counted->bytes += bytes;
    }
    stored += kept;
  }
  if (all.params == 0) return;
  TextTable table({"bits", "tensors", "parameters", "share", "bytes"});
  for (const auto& [bits, counted] : classes) {
    table.add({fmt::format("{}", bits), format_count(counted.tensors), format_count(counted.params),
               fmt::format("{:.2f} %", 100.0 * static_cast<double>(counted.params) /
                                           static_cast<double>(all.params)),
               format_count(std::llround(counted.bytes))});
  }
  table.print();
  fmt::print(
      "average {:.4f} bits a weight with a 16-bit scale and bias for each 128 weights: {} bytes "
      "instead of {}\n",
      8.0 * all.bytes / static_cast<double>(all.params), format_count(std::llround(all.bytes)),
      format_count(std::llround(stored)));
}

}  // namespace

void print_summary(const records::Tables& tables) {
  const auto tensors = records::rows_of<TensorRow>(tables);
  if (const auto ranked = ranked_by(composite_ranking, tensors); !ranked.empty()) {
    print_ranked(composite_ranking, ranked);
  } else if (const auto rounded = ranked_by(sqnr_ranking, tensors); !rounded.empty()) {
    fmt::print("ranked by the signal to noise ratio of 4 bits in groups of 128\n\n");
    print_ranked(sqnr_ranking, rounded);
  }
  print_undecided(tensors);
  if (!tensors.empty()) print_bits(tables, tensors);
  print_hidden_summary(tables);
  print_quality_summary(tables);
}

}  // namespace moesweep::cli
