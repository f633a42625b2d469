#pragma once
// The committed cases of make_goldens.py.

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace moesweep::stats {

/// 1e-10 relative, and 1e-15 absolute where rounding of the inputs alone leaves that much.
inline testing::AssertionResult agrees(double ours, double golden) {
  if (std::isnan(ours) && std::isnan(golden)) return testing::AssertionSuccess();
  const double tolerance = std::fmax(1e-10 * std::fabs(golden), 1e-15);
  if (std::fabs(ours - golden) <= tolerance) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << ours << " is not " << golden << ", off by " << ours - golden;
}

/// One case; null is NaN.
class GoldenCase {
 public:
  GoldenCase(const nlohmann::json& columns, const nlohmann::json& cells)
      : columns_(columns), cells_(cells) {}

  const nlohmann::json& cell(std::string_view column) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i] == column) return cells_[i];
    }
    throw std::out_of_range(std::string(column));
  }
  double number(std::string_view column) const { return number_in(cell(column)); }
  std::int64_t integer(std::string_view column) const { return cell(column).get<std::int64_t>(); }
  std::vector<double> numbers(std::string_view column) const {
    std::vector<double> values;
    for (const auto& element : cell(column)) values.push_back(number_in(element));
    return values;
  }
  std::string text() const { return cells_.dump(); }

 private:
  static double number_in(const nlohmann::json& value) {
    return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  }
  const nlohmann::json& columns_;
  const nlohmann::json& cells_;
};

/// Calls check(case) for each of the thousand cases of tests/data/stats/<name>.json.
template <typename Check>
void for_each_golden(const std::string& name, Check check) {
  const auto file =
      nlohmann::json::parse(std::ifstream(MOESWEEP_TEST_DATA "/stats/" + name + ".json"));
  ASSERT_EQ(file.at("cases").size(), 1000U);
  for (const auto& cells : file.at("cases")) {
    const GoldenCase golden(file.at("columns"), cells);
    SCOPED_TRACE(name + " " + golden.text());
    check(golden);
  }
}

}  // namespace moesweep::stats
