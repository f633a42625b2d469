#pragma once
// What many seeds say together: the majority vote, the cascade of thresholds, the histogram of
// votes. All from the rows of single heads.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/core/records/table.hpp>

namespace moesweep::heads {

struct EnsembleOptions {
  std::string forbidden_truth;  ///< "VETO"; a name that is no class: there is no forbidden error
  std::string forbidden_predicted;        ///< "APPROVE"
  std::vector<std::int64_t> pct_veto;     ///< thresholds tried, percent of the heads
  std::vector<std::int64_t> pct_approve;  ///< likewise
};

/// Rows of heads/ensemble, heads/cascade and heads/votes, from cache/samples, cache/variants and
/// heads/predictions. Heads of spans vote on nothing and are left out.
///
/// Cascade of S heads (docs/heads.md): the forbidden truth is decided if votes for it >=
/// max(1, rint(pct_veto S/100)); else the forbidden prediction if votes for that >=
/// max(1, rint(pct_approve S/100)); else the class with the most votes among the others (the
/// forbidden truth when there are two classes). Chosen on the calibration split: fewest forbidden
/// errors, then highest accuracy, then lowest pct_veto, then highest pct_approve. The chosen
/// thresholds' test row carries a one-sided Clopper-Pearson bound at 0.05/m, m being the number of
/// variants compared.
records::Tables ensembles(const records::Tables& rows, const EnsembleOptions& options);

}  // namespace moesweep::heads
