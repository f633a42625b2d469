#include <array>

#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::quality {
namespace {

template <typename Row>
records::Tables table_of(const std::vector<Row>& rows) {
  const auto& info = records::table_info<Row>();
  records::Tables tables;
  auto& table = tables.emplace(info.name, records::Table(info)).first->second;
  for (const auto& row : rows) records::append_row(table, row);
  return tables;
}

}  // namespace

std::span<const std::string_view> whole_passes() {
  static constexpr std::array<std::string_view, 13> names = {
      "aggregates", "merged",     "correlations", "heterogeneity", "leave_one_out",
      "divergence", "asymmetry",  "regression",   "tests",         "equivalence",
      "power",      "capability", "thresholds"};
  return names;
}

records::Tables run_pass(std::string_view name, const Study& study, const Options& options) {
  if (name == "aggregates") return table_of(aggregates(study));
  if (name == "merged") return table_of(merged(study));
  if (name == "correlations") return table_of(correlations(study, options));
  if (name == "heterogeneity") return table_of(heterogeneity(study, options));
  if (name == "leave_one_out") return table_of(leave_one_out(study));
  if (name == "divergence") return table_of(divergence(study, options));
  if (name == "asymmetry") return table_of(asymmetry(study));
  if (name == "regression") return table_of(regression(study));
  if (name == "tests") return table_of(safety_tests(study, options));
  if (name == "equivalence") return table_of(equivalence(study, options));
  if (name == "power") return table_of(power(study, options));
  if (name == "capability") return table_of(capability(study, options));
  if (name == "thresholds") return table_of(thresholds(study, options));
  bug("no such pass");
}

}  // namespace moesweep::quality
