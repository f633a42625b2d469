#include <algorithm>
#include <numeric>

#include <moesweep/analysis/training/logistic.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/matrix_product.hpp>
#include <moesweep/model/kernels/positive_solve.hpp>

#include "labels.hpp"

namespace moesweep::training {
namespace {

using kernels::multiply;
using kernels::Transpose;

/// A float64 copy without its column means: the bias then drops out of the equations.
struct Centred {
  std::vector<double> mean;
  std::vector<double> values;  // [rows, columns]
};

Centred centred(std::vector<double> values, std::int64_t rows, std::int64_t columns) {
  std::vector<double> mean(checked_cast<std::size_t>(columns), 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) mean[i % mean.size()] += values[i];
  for (double& m : mean) m /= static_cast<double>(rows);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] -= mean[i % mean.size()];
  return {std::move(mean), std::move(values)};
}

/// [rows, outputs] of +1 and -1.
std::vector<double> targets(std::span<const std::int8_t> labels, std::int64_t outputs) {
  std::vector<double> values;
  values.reserve(labels.size() * static_cast<std::size_t>(outputs));
  for (const std::int8_t label : labels) {
    for (std::int64_t o = 0; o < outputs; ++o) {
      values.push_back(label == (outputs == 1 ? 1 : o) ? 1.0 : -1.0);
    }
  }
  return values;
}

void add_to_diagonal(std::vector<double>& matrix, std::int64_t side, double value) {
  for (std::int64_t i = 0; i < side; ++i) matrix[static_cast<std::size_t>(i * (side + 1))] += value;
}

void solve(std::int64_t side, std::vector<double>& gram, std::int64_t count,
           std::vector<double>& right) {
  if (kernels::solve_positive_definite(side, gram, count, right)) return;
  throw Error(ExitCode::bad_input, "ridge",
              "the Gram matrix of the features is not positive definite to rounding",
              "raise the penalty l2");
}

struct Shape {
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t outputs;
  double penalty;  // l2 times rows: the equations below are sums over rows
};

/// (X^T X + penalty) W^T = X^T Y
std::vector<double> by_columns(const Shape& s, const double* x, const double* y) {
  std::vector<double> gram(checked_cast<std::size_t>(s.columns * s.columns));
  multiply(Transpose::yes, Transpose::no, s.columns, s.columns, s.rows, 1.0, x, s.columns, x,
           s.columns, 0.0, gram.data(), s.columns);
  add_to_diagonal(gram, s.columns, s.penalty);
  std::vector<double> weights(checked_cast<std::size_t>(s.outputs * s.columns));
  multiply(Transpose::yes, Transpose::no, s.outputs, s.columns, s.rows, 1.0, y, s.outputs, x,
           s.columns, 0.0, weights.data(), s.columns);
  solve(s.columns, gram, s.outputs, weights);
  return weights;
}

/// W^T = X^T (X X^T + penalty)^-1 Y
std::vector<double> by_rows(const Shape& s, const double* x, std::span<const double> y) {
  std::vector<double> gram(checked_cast<std::size_t>(s.rows * s.rows));
  multiply(Transpose::no, Transpose::yes, s.rows, s.rows, s.columns, 1.0, x, s.columns, x,
           s.columns, 0.0, gram.data(), s.rows);
  add_to_diagonal(gram, s.rows, s.penalty);
  std::vector<double> dual(y.size());  // [outputs, rows]
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t o = 0; o < s.outputs; ++o) {
      dual[static_cast<std::size_t>(o * s.rows + i)] =
          y[static_cast<std::size_t>(i * s.outputs + o)];
    }
  }
  solve(s.rows, gram, s.outputs, dual);
  std::vector<double> weights(checked_cast<std::size_t>(s.outputs * s.columns));
  multiply(Transpose::no, Transpose::no, s.outputs, s.columns, s.rows, 1.0, dual.data(), s.rows, x,
           s.columns, 0.0, weights.data(), s.columns);
  return weights;
}

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double objective(const LinearModel& model, const FeatureMatrix& features,
                 std::span<const double> wanted, double l2) {
  auto residuals = linear_scores(model, features);
  for (std::size_t i = 0; i < residuals.size(); ++i) residuals[i] -= wanted[i];
  return 0.5 * dot(residuals, residuals) / static_cast<double>(features.rows) +
         0.5 * l2 * dot(model.weights, model.weights);
}

}  // namespace

LinearFit fit_ridge(const FeatureMatrix& features, std::span<const std::int8_t> labels,
                    std::int64_t classes, double l2) {
  expect_labels(features, labels, classes);
  expect(l2 > 0.0, "ridge without a penalty");
  const Shape shape{features.rows, features.columns, outputs_for(classes),
                    l2 * static_cast<double>(features.rows)};
  const auto wanted = targets(labels, shape.outputs);
  const Centred x =
      centred({features.values.begin(), features.values.end()}, shape.rows, shape.columns);
  const Centred y = centred(wanted, shape.rows, shape.outputs);
  LinearFit fit;
  fit.model = {classes, shape.columns,
               shape.columns <= shape.rows ? by_columns(shape, x.values.data(), y.values.data())
                                           : by_rows(shape, x.values.data(), y.values),
               y.mean};
  const std::span<const double> weights = fit.model.weights;
  const auto columns = static_cast<std::size_t>(shape.columns);
  for (std::size_t o = 0; o < fit.model.bias.size(); ++o) {
    fit.model.bias[o] -= dot(weights.subspan(o * columns, columns), x.mean);
  }
  fit.converged = true;
  fit.objective = objective(fit.model, features, wanted, l2);
  return fit;
}

}  // namespace moesweep::training
