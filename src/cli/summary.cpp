#include "summary.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

#include <moesweep/base/text.hpp>
#include <moesweep/pipeline/run_results.hpp>
#include <moesweep/records/sensitivity.hpp>

#include "hidden_summary.hpp"
#include "quality_summary.hpp"
#include "text_table.hpp"

namespace moesweep::cli {
namespace {

using records::TensorRow;

constexpr std::size_t shown = 5;
// A 16-bit scale and a 16-bit bias for each 128 weights.
constexpr double group_overhead_bits = 32.0 / 128.0;

void print_ranking(const char* title, const std::vector<TensorRow>& tensors) {
  fmt::print("{}\n", title);
  TextTable table({"composite", "bits", "kurtosis", "concentration", "noise", "nrmse", "tensor"});
  for (const auto& tensor : tensors) {
    table.add({fmt::format("{:.4f}", tensor.composite), fmt::format("{}", tensor.bits),
               fmt::format("{:.3f}", tensor.excess_kurtosis),
               fmt::format("{:.4f}", tensor.spectral_concentration),
               fmt::format("{:.4f}", tensor.noise_amplification),
               fmt::format("{:.4f}", tensor.nrmse_rtn_4bit_g128), tensor.name});
  }
  table.print();
  fmt::print("\n");
}

std::vector<TensorRow> by_composite(const std::vector<TensorRow>& tensors) {
  std::vector<TensorRow> ranked;
  std::copy_if(tensors.begin(), tensors.end(), std::back_inserter(ranked),
               [](const TensorRow& tensor) { return !std::isnan(tensor.composite); });
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.composite > b.composite; });
  return ranked;
}

struct BitClass {
  std::int64_t tensors = 0;
  std::int64_t params = 0;
  double bytes = 0.0;
};

void print_bits(const records::Tables& tables, const std::vector<TensorRow>& tensors) {
  std::map<std::string, std::int64_t> stored_bytes;
  for (const auto& row : records::rows_of<records::CheckpointTensorRow>(tables)) {
    stored_bytes[row.name] = row.bytes;
  }
  std::map<std::int32_t, BitClass> classes;
  BitClass all;
  double stored = 0.0;
  for (const auto& tensor : tensors) {
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

void print_summary(const std::filesystem::path& run_directory) {
  const auto results = pipeline::read_run_results(run_directory);
  const auto tensors = records::rows_of<TensorRow>(results.tables);
  const auto ranked = by_composite(tensors);
  const auto count = std::min(shown, ranked.size());
  const auto middle = static_cast<std::ptrdiff_t>(count);
  if (count > 0) {
    print_ranking("most sensitive", {ranked.begin(), ranked.begin() + middle});
    print_ranking("least sensitive", {ranked.end() - middle, ranked.end()});
  }
  if (!tensors.empty()) print_bits(results.tables, tensors);
  print_hidden_summary(results.tables);
  print_quality_summary(results.tables);
}

}  // namespace moesweep::cli
