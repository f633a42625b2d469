#include "lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

namespace moesweep::training {
namespace {

constexpr std::size_t memory = 10;

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double largest(std::span<const double> values) {
  double most = 0.0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

void add_scaled(std::vector<double>& to, double factor, std::span<const double> what) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * what[i];
}

std::vector<double> difference(std::span<const double> a, std::span<const double> b) {
  std::vector<double> out(a.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] - b[i];
  return out;
}

struct Point {
  std::vector<double> at;
  std::vector<double> gradient;
  double value = 0.0;
};

Point evaluate(const Objective& objective, std::vector<double> at) {
  Point point{std::move(at), {}, 0.0};
  point.gradient.resize(point.at.size());
  point.value = objective(point.at, point.gradient);
  return point;
}

struct Pair {
  std::vector<double> step;      // s
  std::vector<double> gradient;  // y, the change of the gradient
  double curvature;              // s.y > 0
};

/// -H g by the two-loop recursion (Nocedal and Wright, Numerical Optimization, algorithm 7.4).
std::vector<double> direction(std::span<const Pair> pairs, std::span<const double> gradient) {
  std::vector<double> q(gradient.begin(), gradient.end());
  std::vector<double> alpha(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    alpha[i] = dot(pairs[i].step, q) / pairs[i].curvature;
    add_scaled(q, -alpha[i], pairs[i].gradient);
  }
  // Without a past step the gradient has no scale: move by at most 1.
  const double scale =
      pairs.empty() ? 1.0 / std::max(1.0, std::sqrt(dot(gradient, gradient)))
                    : pairs.back().curvature / dot(pairs.back().gradient, pairs.back().gradient);
  for (double& value : q) value *= scale;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double beta = dot(pairs[i].gradient, q) / pairs[i].curvature;
    add_scaled(q, alpha[i] - beta, pairs[i].step);
  }
  for (double& value : q) value = -value;
  return q;
}

/// A point along `along` that decreases enough and has flattened enough.
std::optional<Point> search(const Objective& objective, const Point& from,
                            std::span<const double> along) {
  constexpr double sufficient_decrease = 1e-4;
  constexpr double flattening = 0.9;
  constexpr int most_evaluations = 60;
  // What a sum of many terms may be off by: near the minimum, decreases are smaller than that.
  const double rounding = 1e-14 * std::abs(from.value);
  const double slope = dot(from.gradient, along);
  double low = 0.0;
  double high = std::numeric_limits<double>::infinity();
  double length = 1.0;
  for (int i = 0; i < most_evaluations; ++i) {
    auto at = from.at;
    add_scaled(at, length, along);
    Point point = evaluate(objective, std::move(at));
    if (!(point.value <= from.value + sufficient_decrease * length * slope + rounding)) {
      high = length;
    } else if (dot(point.gradient, along) < flattening * slope) {
      low = length;
    } else {
      return point;
    }
    length = std::isinf(high) ? 2.0 * low : 0.5 * (low + high);
  }
  return std::nullopt;
}

void remember(std::vector<Pair>& pairs, const Point& before, const Point& after) {
  auto step = difference(after.at, before.at);
  auto gradient = difference(after.gradient, before.gradient);
  const double curvature = dot(step, gradient);
  if (!(curvature > 0.0)) return;  // lost to rounding
  if (pairs.size() == memory) pairs.erase(pairs.begin());
  pairs.push_back({std::move(step), std::move(gradient), curvature});
}

}  // namespace

Minimum minimize(const Objective& objective, std::vector<double> start,
                 const LbfgsOptions& options) {
  Point point = evaluate(objective, std::move(start));
  std::vector<Pair> pairs;
  std::int64_t iterations = 0;
  const auto converged = [&] { return largest(point.gradient) <= options.gradient_tolerance; };
  while (!converged() && iterations < options.max_iterations) {
    auto next = search(objective, point, direction(pairs, point.gradient));
    if (!next) break;
    remember(pairs, point, *next);
    point = std::move(*next);
    ++iterations;
  }
  const bool is_converged = converged();
  const double norm = largest(point.gradient);
  return {std::move(point.at), point.value, norm, iterations, is_converged};
}

}  // namespace moesweep::training
