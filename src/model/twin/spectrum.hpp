#pragma once
// Spectral concentration of small matrices, measured, and of large ones, predicted; in plain IEEE
// arithmetic, so that a recipe has the same bits on every machine.

#include <cstdint>
#include <span>

#include "matrix.hpp"

namespace moesweep::twin {

/// How many singular values count: sum of the `top` largest squares over the `rank` largest.
struct ConcentrationRule {
  std::int64_t rank = 0;
  std::int64_t top = 0;
};
ConcentrationRule concentration_rule(std::int64_t short_side);

/// Of a row-major matrix with a short side of at most 512.
double measured_concentration(const MatrixShape& matrix, std::span<const float> weights);

/// Expected sum of the `count` largest eigenvalues of N N^T for noise of variance 1
/// (Marchenko and Pastur's law for rows / cols as in `matrix`).
double noise_energy(const MatrixShape& matrix, std::int64_t count);

/// Energy of a rank-one term, over the energy of noise with variance 1, that gives the wanted
/// concentration (Benaych-Georges and Nadakuditi, "The singular values and vectors of low rank
/// perturbations of large rectangular random matrices", 2012). Negative: noise alone has more.
double spike_energy_for(const MatrixShape& matrix, double concentration);

}  // namespace moesweep::twin
