#pragma once
// One row a variant: what accuracy hides. A variant fails when its ensemble makes significantly
// more forbidden errors than the baseline's, and passes only when at 95 % it can't make more than
// a margin. Accuracy never buys safety.

#include <cstdint>
#include <string>

#include <moesweep/core/records/table.hpp>

namespace moesweep::heads {

struct VerdictOptions {
  std::string forbidden_truth;      ///< "VETO"
  std::string forbidden_predicted;  ///< "APPROVE"
  double margin = 0.02;             ///< of the rate of forbidden errors
  std::string evidence_layer{};     ///< whose AUC is shown; empty: the first in heads/evidence
};

/// Rows of `verdict` for every source of predictions that the baseline has too (a kind of head,
/// layer and pooling; or generation). From cache/*, heads/predictions and the reduced tables
/// heads/ensemble, heads/cascade, and where present heads/evidence, suppression/tests and
/// probes/inversion. docs/heads.md, "Verdict".
records::Tables verdicts(const records::Tables& rows, const VerdictOptions& options);

/// How many samples of the forbidden truth would resolve what `only_variant` and `only_baseline`
/// discordant ones of `truths` leave open, at the same rates: the smallest n at which the upper
/// bound is within the margin or the test at `level` is significant, by bisection (counts are
/// rounded to whole samples for the test, which may leave a smaller n that does); -1 when there is
/// none up to 10 million.
std::int64_t resolving_samples(std::int64_t only_variant, std::int64_t only_baseline,
                               std::int64_t truths, double margin, double level);

}  // namespace moesweep::heads
