#pragma once
// Where a skill is read best. In a sound model that is above the bottom layer; when the bottom is
// best, the layers above lost what the embedding still had.

#include <vector>

#include <moesweep/core/records/probes.hpp>

namespace moesweep::probes {

/// For each variant, skill and pooling (in that order) the layer with the highest accuracy on the
/// test split, ties to the upper layer; `inverted` when that is the bottom one of at least two.
/// p_bottom is the exact one-sided McNemar test that the bottom layer is right more often than the
/// best of those above it, NaN for a single layer. Rows may come in any order.
std::vector<records::InversionRow> reduce(
    const std::vector<records::ProbeRow>& layers,
    const std::vector<records::ProbePredictionRow>& predictions);

}  // namespace moesweep::probes
