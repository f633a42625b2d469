#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/analysis/quality/measurement.hpp>
#include <moesweep/core/base/csv.hpp>
#include <moesweep/core/base/file.hpp>

namespace moesweep::quality {
namespace {

using Cells = std::vector<std::string>;
using Place = std::optional<std::size_t>;

constexpr double largest_count = 9007199254740992.0;  // 2^53: whole numbers are exact up to here

class Matrix {
 public:
  Matrix(std::string_view text, std::string_view place) : records_(text, place), place_(place) {
    auto header = records_.next();
    if (!header) throw records_.complaint("there is no header line");
    header_ = std::move(*header);
    for (std::size_t i = 0; i < header_.size(); ++i) {
      if (std::find(header_.begin(), header_.end(), header_[i]) - header_.begin() !=
          static_cast<std::ptrdiff_t>(i)) {
        throw records_.complaint(
            fmt::format("the column {} is there twice", printable(header_[i])));
      }
    }
  }

  Place column(std::string_view name) const {
    const auto found = std::find(header_.begin(), header_.end(), name);
    if (found == header_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - header_.begin());
  }
  Place column(std::string_view name, std::string_view otherwise) const {
    const auto found = column(name);
    return found ? found : column(otherwise);
  }
  std::size_t required(std::string_view name, std::string_view otherwise) const {
    if (const auto found = column(name, otherwise)) return *found;
    throw records_.complaint(fmt::format("there is no column {}", name));
  }
  const Cells& header() const { return header_; }

  bool next() {
    auto cells = records_.next();
    if (!cells) return false;
    if (cells->size() != header_.size()) {
      throw records_.complaint(
          fmt::format("{} cells where the header has {}", cells->size(), header_.size()));
    }
    cells_ = std::move(*cells);
    return true;
  }
  const std::string& text(std::size_t column) const {
    if (cells_[column].empty()) {
      throw records_.complaint(fmt::format("the cell {} is empty", header_[column]));
    }
    return cells_[column];
  }
  double number(Place column) const {
    if (!column) return unknown;
    const auto value = csv_number(cells_[*column]);
    if (!value || std::isinf(*value)) {
      throw records_.complaint(fmt::format("{} is {}, not a number", printable(header_[*column]),
                                           printable(cells_[*column])));
    }
    return *value;
  }
  double last_digit(std::size_t column) const { return last_digit_of(cells_[column]); }
  double not_negative(Place column) const {
    const double value = number(column);
    if (value < 0.0) {
      throw records_.complaint(fmt::format("{} is negative", printable(header_[*column])));
    }
    return value;
  }
  std::int64_t count(Place column) const {
    const double value = not_negative(column);
    if (std::isnan(value)) return 0;
    if (value != std::floor(value) || value > largest_count) {
      throw records_.complaint(
          fmt::format("{} is not a whole number of samples", printable(header_[*column])));
    }
    return static_cast<std::int64_t>(value);
  }
  std::string place() const { return fmt::format("{}:{}", place_, records_.line()); }
  Error complaint(const std::string& problem) const { return records_.complaint(problem); }

 private:
  CsvRecords records_;
  std::string place_;
  Cells header_;
  Cells cells_;
};

struct MetricColumns {
  std::string metric;
  std::size_t value = 0;
  Place n, sd, delta;
};

// The change stands behind its metric, under a name that may be shorter: refusal_rate,
// refusal_delta_pp.
Place delta_column(const Matrix& matrix, std::size_t value) {
  constexpr std::string_view ending = "_delta_pp";
  const auto& header = matrix.header();
  if (value + 1 >= header.size()) return std::nullopt;
  const std::string_view name = header[value + 1];
  if (!name.ends_with(ending)) return std::nullopt;
  const auto beginning = name.substr(0, name.size() - ending.size());
  return header[value].starts_with(beginning) ? Place(value + 1) : std::nullopt;
}

std::vector<MetricColumns> metric_columns(const Matrix& matrix, const Options& options) {
  std::vector<MetricColumns> columns;
  for (const auto* names : {&options.quality, &options.safety, &options.capability}) {
    for (const auto& metric : *names) {
      const auto value = matrix.column(metric);
      if (!value) {
        throw matrix.complaint(
            fmt::format("there is no column {}, which has a role in the job", printable(metric)));
      }
      columns.push_back({metric, *value, matrix.column(metric + "_n"),
                         matrix.column(metric + "_sd"), delta_column(matrix, *value)});
    }
  }
  return columns;
}

void require_roles_met(const Matrix& matrix, const std::vector<Measurement>& all,
                       const Options& options) {
  for (const auto* names : {&options.quality, &options.safety, &options.capability}) {
    for (const auto& metric : *names) {
      if (std::any_of(all.begin(), all.end(),
                      [&](const Measurement& one) { return one.metric == metric; })) {
        continue;
      }
      throw matrix.complaint(
          fmt::format("no row is of metric {}, which has a role in the job", printable(metric)));
    }
  }
}

}  // namespace

double last_digit_of(std::string_view number) {
  const auto exponent_at = number.find_first_of("eE");
  const auto mantissa = number.substr(0, exponent_at);
  const auto point = mantissa.find('.');
  const auto decimals =
      point == std::string_view::npos ? std::size_t{0} : mantissa.size() - point - 1;
  double exponent = 0.0;
  if (exponent_at != std::string_view::npos) {
    exponent = csv_number(number.substr(exponent_at + 1)).value_or(0.0);
  }
  return std::pow(10.0, exponent - static_cast<double>(decimals));
}

std::vector<Measurement> parse_matrix(std::string_view text, std::string_view place,
                                      const Options& options) {
  Matrix matrix(text, place);
  const auto model = matrix.required("model", "model");
  const auto level = matrix.required("level", "quant");
  const auto bits = matrix.column("bits_per_weight", "bpw");
  const auto metric = matrix.column("metric");
  std::vector<MetricColumns> columns;
  if (metric) {
    columns.push_back({"", matrix.required("value", "value"), matrix.column("n"),
                       matrix.column("sd"), matrix.column("delta_pp")});
  } else {
    columns = metric_columns(matrix, options);
  }
  std::vector<Measurement> all;
  while (matrix.next()) {
    for (const auto& column : columns) {
      Measurement one;
      one.model = matrix.text(model);
      one.level = matrix.text(level);
      one.bits_per_weight = matrix.not_negative(bits);
      one.metric = metric ? matrix.text(*metric) : column.metric;
      one.value = matrix.number(column.value);
      one.unit = matrix.last_digit(column.value);
      one.sd = matrix.not_negative(column.sd);
      one.samples = matrix.count(column.n);
      one.delta_pp = matrix.number(column.delta);
      one.place = matrix.place();
      all.push_back(std::move(one));
    }
  }
  if (all.empty()) throw matrix.complaint("there are no rows below the header");
  if (metric) require_roles_met(matrix, all, options);
  return all;
}

std::vector<Measurement> read_matrix(const std::filesystem::path& file, const Options& options) {
  return parse_matrix(read_text_file(file), file.string(), options);
}

}  // namespace moesweep::quality
