#pragma once
// Statistics of a twin as the sensitivity sweep measures them.

#include <map>
#include <string>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/model/twin/twin.hpp>

namespace moesweep::twin::test {

inline const std::string inventory_file = MOESWEEP_TEST_DATA "/qwen35-397b-inventory.csv";

inline sensitivity::Options statistics_only(std::vector<std::string> include) {
  sensitivity::Options options;
  options.include = std::move(include);
  options.noise = options.error = false;
  return options;
}

/// By name, of the analysed tensors that `options` select.
inline std::map<std::string, Statistics> measured(const checkpoint::Checkpoint& twin,
                                                  const sensitivity::Options& options) {
  const checkpoint::TensorReader reader(twin);
  auto tables = sensitivity::describe(twin, options);
  for (const auto& item : sensitivity::cut(twin, options)) {
    records::append(tables, sensitivity::measure(twin, reader, item, options));
  }
  std::map<std::string, Statistics> out;
  for (const auto& row :
       records::rows_of<records::TensorRow>(sensitivity::reduce(tables, options))) {
    if (row.slices > 0) out[row.name] = {row.excess_kurtosis, row.spectral_concentration};
  }
  return out;
}

/// |reached / wanted - 1|.
inline double deviation(double reached, double wanted) {
  return std::abs(reached - wanted) / std::abs(wanted);
}

}  // namespace moesweep::twin::test
