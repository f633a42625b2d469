#pragma once
// Sub-blocks of Q6_K and Q3_K: codes in [-half, half-1] times one scale of either sign that
// minimises sum x^2 (x - scale*code)^2, searched for in two ways.

#include <span>

namespace moesweep::kernels::gguf {

/// Tries 19 scales about -half/(the value of largest magnitude); codes are written as code + half,
/// except that a sub-block of zeros gets all 0. Returns the scale.
float fit_by_grid(std::span<const float> x, int half, std::span<int> codes);

/// Starts from that scale and changes single codes while the fit improves, five rounds at most.
float fit_by_descent(std::span<const float> x, int half, std::span<int> codes);

}  // namespace moesweep::kernels::gguf
