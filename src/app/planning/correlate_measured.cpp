#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/app/planning/correlate_measured.hpp>
#include <moesweep/app/run/run_results.hpp>
#include <moesweep/core/base/csv.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::planning {
namespace {

using records::DistortionRow;
using records::TensorRow;

constexpr std::array<std::string_view, 5> name_columns = {"pattern", "term", "tensor", "name",
                                                          "module"};
constexpr std::int64_t fewest_units = 4;  ///< of a group whose rank correlation means anything

struct Metric {
  const char* name;
  double TensorRow::*member;
};
constexpr std::array metrics = {
    Metric{"excess_kurtosis", &TensorRow::excess_kurtosis},
    Metric{"spectral_concentration", &TensorRow::spectral_concentration},
    Metric{"noise_amplification", &TensorRow::noise_amplification},
    Metric{"nrmse_rtn_4bit_g128", &TensorRow::nrmse_rtn_4bit_g128},
    Metric{"composite", &TensorRow::composite},
};

/// A line of the file.
struct Line {
  std::string glob;
  double value;
  bool matched = false;
};

std::vector<Line> read_lines(const MeasuredFile& file) {
  const auto place = file.csv.string();
  const auto text = read_text_file(file.csv);
  CsvRecords records(text, place);
  const auto header = records.next();
  if (!header) throw records.complaint("is empty");
  const auto name = std::ranges::find_if(*header, [](const auto& column) {
    return std::ranges::find(name_columns, column) != name_columns.end();
  });
  if (name == header->end()) {
    throw records.complaint(fmt::format("has no column {}", fmt::join(name_columns, ", ")));
  }
  const auto value = std::ranges::find(*header, file.column);
  if (value == header->end()) {
    throw Error(ExitCode::bad_usage, fmt::format("--column {}", file.column),
                fmt::format("is not a column of {}", place),
                fmt::format("there are {}", fmt::join(*header, ", ")));
  }
  std::vector<Line> lines;
  while (const auto cells = records.next()) {
    if (cells->size() != header->size()) throw records.complaint("a cell too many or too few");
    const auto number = csv_number((*cells)[static_cast<std::size_t>(value - header->begin())]);
    if (!number) throw records.complaint(fmt::format("{} is no number", file.column));
    lines.push_back({(*cells)[static_cast<std::size_t>(name - header->begin())], *number});
  }
  return lines;
}

/// Tensors that share a line of the file and a term of the objective.
struct Unit {
  std::string role;
  std::string matrix;  ///< the term with its indices replaced: the same matrix of all layers
  bool is_in_layer = false;
  double value = 0.0;
  double params = 0.0;
  std::array<double, metrics.size()> sums{};        ///< of metric x parameters
  std::map<std::int32_t, double> sse, sum_squares;  ///< by bits

  double metric(std::size_t index) const { return sums[index] / params; }
  double squared_nrmse(std::int32_t bits) const {
    const auto error = sse.find(bits);
    return error == sse.end() ? std::nan("") : error->second / sum_squares.at(bits);
  }
};

/// The family and group of which most bits were swept: affine before others, 64 before others.
std::pair<std::string, std::int32_t> usual_quantizer(const std::vector<DistortionRow>& rows) {
  std::map<std::pair<std::string, std::int32_t>, std::set<std::int32_t>> bits;
  for (const auto& row : rows) {
    if (row.slice == -1) bits[{row.quantizer, row.group_size}].insert(row.bits);
  }
  const auto rank = [](const auto& entry) {
    const auto& [quantizer, group_size] = entry.first;
    return std::tuple(entry.second.size(), quantizer == "affine", group_size == 64);
  };
  const auto best = std::ranges::max_element(bits, {}, rank);
  return best == bits.end() ? std::pair<std::string, std::int32_t>() : best->first;
}

/// By tensor and bits.
using Distortions = std::map<std::string, std::vector<const DistortionRow*>>;

Distortions distortions_of(const std::vector<DistortionRow>& rows,
                           const std::pair<std::string, std::int32_t>& quantizer) {
  Distortions found;
  for (const auto& row : rows) {
    if (row.slice != -1 || std::pair(row.quantizer, row.group_size) != quantizer) continue;
    found[row.tensor].push_back(&row);
  }
  return found;
}

bool has_a_metric(const TensorRow& row) {
  return std::ranges::any_of(metrics,
                             [&](const Metric& metric) { return !std::isnan(row.*metric.member); });
}

std::vector<Unit> units_of(const std::vector<TensorRow>& tensors, const Distortions& distortions,
                           std::vector<Line>& lines) {
  std::map<std::pair<std::size_t, std::string>, Unit> units;
  for (const auto& row : tensors) {
    allocation::Tensor tensor;
    tensor.name = row.name;
    tensor.role = row.role;
    const auto term = allocation::objective_term(tensor);
    auto line = lines.end();  // the first that matches; those behind it match, too
    for (auto other = lines.begin(); other != lines.end(); ++other) {
      if (!matches_glob(other->glob, row.name) && !matches_glob(other->glob, term)) continue;
      other->matched = true;
      if (line == lines.end()) line = other;
    }
    if (line == lines.end()) continue;
    const auto measured = distortions.find(row.name);
    if (std::isnan(line->value)) continue;
    if (measured == distortions.end() && !has_a_metric(row)) continue;
    auto& unit = units[{static_cast<std::size_t>(line - lines.begin()), term}];
    const auto params = static_cast<double>(row.params);
    unit.role = row.role;
    unit.matrix = names::pattern_of(term);
    unit.is_in_layer = names::layer_of(row.name) >= 0;
    unit.value = line->value;
    unit.params += params;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      unit.sums[i] += params * row.*metrics[i].member;
    }
    if (measured == distortions.end()) continue;
    for (const auto* error : measured->second) {
      unit.sse[error->bits] += error->sse;
      unit.sum_squares[error->bits] += error->sum_squares;
    }
  }
  std::vector<Unit> out;
  for (auto& [key, unit] : units) out.push_back(std::move(unit));
  return out;
}

using Group = std::vector<const Unit*>;

/// What the metrics are compared with.
struct Against {
  std::string name;
  std::int32_t bits = 0;  ///< 0: the value itself

  double of(const Unit& unit) const {
    return bits == 0 ? unit.value : unit.value * unit.squared_nrmse(bits);
  }
};

stats::Correlation correlation_of(const Group& group, std::size_t metric, const Against& against) {
  std::vector<double> x, y;
  for (const auto* unit : group) {
    x.push_back(unit->metric(metric));
    y.push_back(against.of(*unit));
  }
  return stats::correlate(x, y);
}

/// The mean of the groups' rank correlations, weighted by units.
stats::Correlation within(const std::map<std::string, Group>& groups, std::size_t metric,
                          const Against& against) {
  stats::Correlation pooled;
  double sum = 0.0;
  for (const auto& [name, group] : groups) {
    const auto one = correlation_of(group, metric, against);
    if (one.count < fewest_units || std::isnan(one.spearman)) continue;
    pooled.count += one.count;
    sum += static_cast<double>(one.count) * one.spearman;
  }
  if (pooled.count > 0) pooled.spearman = sum / static_cast<double>(pooled.count);
  return pooled;
}

void add_group(const std::string& name, const Group& group, const std::vector<Against>& against,
               MeasuredReport& report) {
  if (std::ssize(group) < fewest_units) return;
  for (const auto& one : against) {
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      report.correlations.push_back(
          {name, one.name, metrics[i].name, correlation_of(group, i, one)});
    }
  }
}

void add_within(const std::string& name, const std::map<std::string, Group>& groups,
                const std::vector<Against>& against, MeasuredReport& report) {
  for (const auto& one : against) {
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const auto pooled = within(groups, i, one);
      if (pooled.count == 0) continue;
      report.correlations.push_back({name, one.name, metrics[i].name, pooled});
    }
  }
}

void correlate_units(const std::vector<Unit>& units, const std::string& column,
                     MeasuredReport& report) {
  std::vector<Against> against = {{column, 0}};
  std::set<std::int32_t> bits;
  Group all, in_layers;
  std::map<std::string, Group> roles, matrices;
  for (const auto& unit : units) {
    for (const auto& [count, sse] : unit.sse) bits.insert(count);
    all.push_back(&unit);
    if (unit.is_in_layer) in_layers.push_back(&unit);
    roles[unit.role].push_back(&unit);
    matrices[unit.matrix].push_back(&unit);
  }
  for (const auto count : bits) against.push_back({fmt::format("loss at {} bits", count), count});
  add_group("all", all, against, report);
  add_group("in layers", in_layers, against, report);
  for (const auto& [role, group] : roles) add_group("role " + role, group, against, report);
  add_within("within roles", roles, against, report);
  add_within("within matrices", matrices, against, report);
}

}  // namespace

MeasuredReport correlate_measured(const std::filesystem::path& run_directory,
                                  const MeasuredFile& file) {
  auto lines = read_lines(file);
  const auto results = run::read_run_results(run_directory);
  const auto tensors = records::rows_of<TensorRow>(results.tables);
  if (tensors.empty()) {
    throw Error(ExitCode::bad_input, run_directory.string(), "has no table sensitivity/tensors",
                "name the run of a sensitivity sweep");
  }
  const auto errors = records::rows_of<DistortionRow>(results.tables);
  const auto quantizer = usual_quantizer(errors);
  const auto units = units_of(tensors, distortions_of(errors, quantizer), lines);
  if (units.empty()) {
    throw Error(
        ExitCode::bad_input, file.csv.string(),
        fmt::format("matches no tensor that was measured, or has no number in {}", file.column),
        "its names have to be those of the checkpoint, of terms, or globs on them");
  }
  MeasuredReport report;
  report.units = std::ssize(units);
  report.lines_unmatched = std::ranges::count(lines, false, &Line::matched);
  if (!quantizer.first.empty()) {
    report.quantizer = fmt::format("{} in groups of {}", quantizer.first, quantizer.second);
  }
  correlate_units(units, file.column, report);
  return report;
}

}  // namespace moesweep::planning
