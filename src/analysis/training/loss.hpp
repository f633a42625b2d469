#pragma once
// Losses and their gradients by logits.

#include <cstdint>
#include <span>

namespace moesweep::training {

/// Mean over a batch, weighted by class: sum(w_y loss) / sum(w_y). `weights` is empty for ones.
/// One logit: binary cross-entropy with label 0 or 1; several: cross-entropy of their softmax.
/// Fills `gradient` [rows, outputs] (may be empty) and returns the loss. Sums are double.
template <typename Real>
double loss(std::span<const Real> logits, std::int64_t outputs, std::span<const std::int8_t> labels,
            std::span<const double> weights, std::span<Real> gradient);

}  // namespace moesweep::training
