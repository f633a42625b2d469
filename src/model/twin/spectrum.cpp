#include "spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <moesweep/core/base/cast.hpp>

namespace moesweep::twin {
namespace {

double dot(const float* a, const float* b, std::int64_t count) {
  double lanes[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int lane = 0; lane < 8; ++lane) lanes[lane] += double{a[i + lane]} * double{b[i + lane]};
  }
  for (; i < count; ++i) lanes[0] += double{a[i]} * double{b[i]};
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// Symmetric, row-major, order k.
struct Gram {
  std::int64_t order = 0;
  std::vector<double> values;
  double* row(std::int64_t i) { return values.data() + i * order; }
};

Gram gram_of_short_side(const MatrixShape& matrix, std::span<const float> weights) {
  const auto k = matrix.short_side();
  const auto length = matrix.long_side();
  std::vector<float> transposed;
  const float* rows = weights.data();
  if (matrix.rows > matrix.cols) {
    transposed.resize(weights.size());
    for (std::int64_t i = 0; i < length; ++i) {
      for (std::int64_t j = 0; j < k; ++j) {
        transposed[static_cast<std::size_t>(j * length + i)] =
            weights[static_cast<std::size_t>(i * k + j)];
      }
    }
    rows = transposed.data();
  }
  Gram gram{k, std::vector<double>(checked_cast<std::size_t>(k * k))};
  for (std::int64_t i = 0; i < k; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      gram.row(i)[j] = gram.row(j)[i] = dot(rows + i * length, rows + j * length, length);
    }
  }
  return gram;
}

struct Tridiagonal {
  std::vector<double> diagonal;
  std::vector<double> below_squared;  ///< [i]: square of the entry (i+1, i)
};

// Householder reflections from the first column on.
Tridiagonal tridiagonal(Gram gram) {
  const auto n = gram.order;
  Tridiagonal out;
  std::vector<double> v(checked_cast<std::size_t>(n)), p(v.size());
  const auto at = [](auto& x, std::int64_t i) -> double& { return x[static_cast<std::size_t>(i)]; };
  for (std::int64_t c = 0; c < n; ++c) {
    out.diagonal.push_back(gram.row(c)[c]);
    if (c + 1 == n) break;
    double norm2 = 0.0;
    for (auto i = c + 1; i < n; ++i) norm2 += gram.row(c)[i] * gram.row(c)[i];
    out.below_squared.push_back(norm2);
    const double norm = std::sqrt(norm2);
    const double head = gram.row(c)[c + 1];
    const double half = norm2 + norm * std::abs(head);  // v.v / 2
    if (half == 0.0) continue;
    for (auto i = c + 1; i < n; ++i) at(v, i) = gram.row(c)[i];
    at(v, c + 1) += head < 0.0 ? -norm : norm;
    double vp = 0.0;
    for (auto i = c + 1; i < n; ++i) {
      double sum = 0.0;
      for (auto j = c + 1; j < n; ++j) sum += gram.row(i)[j] * at(v, j);
      at(p, i) = sum / half;
      vp += at(v, i) * at(p, i);
    }
    for (auto i = c + 1; i < n; ++i) at(p, i) -= 0.5 * vp / half * at(v, i);
    for (auto i = c + 1; i < n; ++i) {
      for (auto j = c + 1; j < n; ++j) {
        gram.row(i)[j] -= at(v, i) * at(p, j) + at(p, i) * at(v, j);
      }
    }
  }
  return out;
}

// Sturm's count.
std::int64_t eigenvalues_above(const Tridiagonal& t, double x, double tiny) {
  std::int64_t above = 0;
  double pivot = 1.0;
  for (std::size_t i = 0; i < t.diagonal.size(); ++i) {
    pivot = t.diagonal[i] - x - (i > 0 ? t.below_squared[i - 1] / pivot : 0.0);
    if (std::abs(pivot) < tiny) pivot = -tiny;
    if (pivot > 0.0) ++above;
  }
  return above;
}

double top_sum(const Tridiagonal& t, double trace, std::int64_t top) {
  double sum = 0.0;
  double high = trace;
  for (std::int64_t wanted = 0; wanted < top; ++wanted) {
    double low = 0.0;
    double upper = high;
    for (int step = 0; step < 40 && upper - low > 1e-6 * trace / static_cast<double>(top); ++step) {
      const double middle = 0.5 * (low + upper);
      (eigenvalues_above(t, middle, 1e-30 * trace) > wanted ? low : upper) = middle;
    }
    sum += 0.5 * (low + upper);
    high = upper;
  }
  return sum;
}

}  // namespace

ConcentrationRule concentration_rule(std::int64_t short_side) {
  const auto rank = short_side <= 512 ? short_side : 256;
  return {rank, std::max<std::int64_t>(1, rank / 10)};
}

double measured_concentration(const MatrixShape& matrix, std::span<const float> weights) {
  auto gram = gram_of_short_side(matrix, weights);
  double trace = 0.0;
  for (std::int64_t i = 0; i < gram.order; ++i) trace += gram.row(i)[i];
  if (!(trace > 0.0)) return 0.0;
  const auto rule = concentration_rule(gram.order);
  return top_sum(tridiagonal(std::move(gram)), trace, rule.top) / trace;
}

double noise_energy(const MatrixShape& matrix, std::int64_t count) {
  const auto k = static_cast<double>(matrix.short_side());
  const auto length = static_cast<double>(matrix.long_side());
  const double ratio = k / length;
  const double root = std::sqrt(ratio);
  const double low = (1.0 - root) * (1.0 - root);
  const double width = 4.0 * root;
  // x = low + width * s(t) with s(t) = t^2 (3 - 2t) takes the square roots off both edges; the
  // midpoint rule runs down from the upper one. The constant of the density cancels.
  constexpr int steps = 4096;
  const auto mass_at = [&](int step, double& x) {
    const double t = 1.0 - (step + 0.5) / steps;
    const double s = t * t * (3.0 - 2.0 * t);
    x = low + width * s;
    return std::sqrt(s * (1.0 - s)) / x * 6.0 * t * (1.0 - t);
  };
  double whole = 0.0;
  double x = 0.0;
  for (int step = 0; step < steps; ++step) whole += mass_at(step, x);
  const double wanted = static_cast<double>(count) / k * whole;
  double mass = 0.0;
  double moment = 0.0;
  for (int step = 0; step < steps && mass < wanted; ++step) {
    const double piece = std::min(mass_at(step, x), wanted - mass);
    mass += piece;
    moment += piece * x;
  }
  return moment / whole * k * length;
}

double spike_energy_for(const MatrixShape& matrix, double concentration) {
  const auto rule = concentration_rule(matrix.short_side());
  const double top = noise_energy(matrix, rule.top - 1);
  const double all = noise_energy(matrix, rule.rank - 1);
  const auto m = static_cast<double>(matrix.rows);
  const auto n = static_cast<double>(matrix.cols);
  const double largest = (concentration * all - top) / (1.0 - concentration);
  // Seen: largest = (e + m)(e + n) / e for a term of energy e above the threshold sqrt(mn).
  const double b = largest - m - n;
  const double discriminant = b * b - 4.0 * m * n;
  if (b <= 0.0 || discriminant < 0.0) return -1.0;
  return 0.5 * (b + std::sqrt(discriminant)) / (m * n);
}

}  // namespace moesweep::twin
