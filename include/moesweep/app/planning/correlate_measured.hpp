#pragma once
// `moesweep correlate RUN --with alpha.csv`: do a sweep's metrics tell what was measured of its
// tensors elsewhere?

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <moesweep/core/stats/correlation.hpp>

namespace moesweep::planning {

/// A file with a text column `pattern`, `term`, `tensor`, `name` or `module` (tensor names, terms
/// of the objective, or globs on them; the first line that matches a tensor counts) and columns of
/// numbers.
struct MeasuredFile {
  std::filesystem::path csv;
  std::string column = "alpha";
};

/// One metric against one measured number over one group of units. A unit is a tensor, or the
/// tensors of a term that a line names together: metrics are then means weighted by parameters,
/// errors pooled.
struct MeasuredCorrelation {
  std::string group;    ///< "all", "in layers", "role expert", "within roles", "within matrices"
  std::string against;  ///< the column, or "loss at 4 bits": column x squared NRMSE
  std::string metric;
  /// Within: Spearman's rho alone, the mean over groups of 4 units or more, weighted by their
  /// units, which `count` adds up. No p.
  stats::Correlation correlation;
};

struct MeasuredReport {
  std::int64_t units = 0;            ///< with a number and a metric
  std::int64_t lines_unmatched = 0;  ///< of the file
  std::string quantizer;             ///< of the losses: "affine, groups of 64"
  std::vector<MeasuredCorrelation> correlations;
};

/// Error(bad_input) for a run without sensitivity tables and for a file that matches no tensor,
/// Error(bad_usage) for a column that it doesn't have.
MeasuredReport correlate_measured(const std::filesystem::path& run_directory,
                                  const MeasuredFile& file);

}  // namespace moesweep::planning
