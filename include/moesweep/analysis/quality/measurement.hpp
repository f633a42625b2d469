#pragma once
// Measured values, from a file or another sweep, and what all passes start from.

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/analysis/quality/options.hpp>
#include <moesweep/core/records/quality.hpp>

namespace moesweep::quality {

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// One metric of one level of one model, as it was written.
struct Measurement {
  std::string model;
  std::string level;
  double bits_per_weight = unknown;
  std::string metric;
  double value = unknown;  ///< unknown: a missing cell
  double unit = 0.0;       ///< of its last written digit; 0 when it was not rounded
  double sd = unknown;     ///< sample standard deviation
  std::int64_t samples = 0;
  double delta_pp =
      unknown;  ///< published change, used instead of the difference of rounded values
  bool yes_no = false;
  std::string place;  ///< where it stands, for errors
};

/// A matrix in CSV with a header line, in one of two forms. Both have the columns `model`, `level`
/// (or `quant`) and, optionally, `bits_per_weight` (or `bpw`).
///
/// Long: a row a cell, with `metric`, `value` and optionally `n`, `sd`, `delta_pp`.
///
/// Wide: a row a level, a column a metric; optionally `<metric>_n` and `<metric>_sd`, and a column
/// <beginning of the metric's name>_delta_pp behind the metric's own. Columns of metrics without a
/// role are passed over; a metric with a role and no column is Error(bad_input).
///
/// An empty cell is a missing measurement. Error(bad_input) with the line for a ragged line, text
/// where a number belongs, an infinite value, a negative n or sd, and a file without rows.
std::vector<Measurement> parse_matrix(std::string_view text, std::string_view place,
                                      const Options& options);
/// The same of a file of at most largest_text_file bytes (base/file.hpp).
std::vector<Measurement> read_matrix(const std::filesystem::path& file, const Options& options);

/// Where the decimals of a number end: 0.1 of "93.6", 0.001 of "2e-3".
double last_digit_of(std::string_view number);

/// Cells in the order model (as they come), level (baseline first, then by falling bits), metric
/// (quality, safety, capability; each in the order of the options): percent made shares, changes
/// from the baseline signed so that positive is better, counts, intervals. The count of a share is
/// the whole number of its samples nearest to value times samples, if that gives the value to half
/// its last written digit; else the share and its samples contradict each other, no count is given,
/// and no test is made. A mean has an interval with three samples or more that differ. Metrics
/// without a role are left out. Error(bad_input) for a cell that is told twice, a model without the
/// baseline, a share outside 0 .. 1, and when nothing is left.
std::vector<records::CellRow> normalize(std::span<const Measurement> measurements,
                                        const Options& options);

}  // namespace moesweep::quality
