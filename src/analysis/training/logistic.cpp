#include <algorithm>
#include <cmath>

#include <moesweep/analysis/training/logistic.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/matrix_product.hpp>

#include "labels.hpp"
#include "lbfgs.hpp"
#include "log_likelihood.hpp"
#include "widened_blocks.hpp"

namespace moesweep::training {
namespace {

using kernels::Transpose;

/// Parameters are the weights [outputs, columns], then the biases.
class PenalisedLikelihood {
 public:
  PenalisedLikelihood(const FeatureMatrix& features, std::span<const std::int8_t> labels,
                      std::int64_t outputs, double l2)
      : blocks_(features),
        labels_(labels),
        rows_(features.rows),
        columns_(features.columns),
        outputs_(outputs),
        l2_(l2),
        slopes_(static_cast<std::size_t>(rows_ * outputs)) {}

  std::int64_t parameters() const { return outputs_ * (columns_ + 1); }

  double operator()(std::span<const double> at, std::span<double> gradient) {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    double loss = 0.0;
    blocks_.visit([&](const WidenedBlock& block) { loss += add_block(block, at, gradient); });
    const double share = 1.0 / static_cast<double>(rows_);
    for (double& value : gradient) value *= share;
    return loss * share + add_penalty(at, gradient);
  }

 private:
  double add_block(const WidenedBlock& block, std::span<const double> at,
                   std::span<double> gradient) {
    const auto weights = static_cast<std::size_t>(outputs_ * columns_);
    const auto outputs = static_cast<std::size_t>(outputs_);
    const auto bias = at.subspan(weights);
    double* slopes = slopes_.data();
    for (std::int64_t i = 0; i < block.rows; ++i) {
      std::copy(bias.begin(), bias.end(), slopes + i * outputs_);
    }
    kernels::multiply(Transpose::no, Transpose::yes, block.rows, outputs_, columns_, 1.0,
                      block.values, columns_, at.data(), columns_, 1.0, slopes, outputs_);
    double loss = 0.0;
    for (std::int64_t i = 0; i < block.rows; ++i) {
      const std::span row(slopes + i * outputs_, outputs);
      loss += loss_and_slope(row, labels_[static_cast<std::size_t>(block.first + i)]);
      for (std::size_t o = 0; o < outputs; ++o) gradient[weights + o] += row[o];
    }
    kernels::multiply(Transpose::yes, Transpose::no, outputs_, columns_, block.rows, 1.0, slopes,
                      outputs_, block.values, columns_, 1.0, gradient.data(), columns_);
    return loss;
  }

  double add_penalty(std::span<const double> at, std::span<double> gradient) const {
    double squares = 0.0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(outputs_ * columns_); ++i) {
      squares += at[i] * at[i];
      gradient[i] += l2_ * at[i];
    }
    return 0.5 * l2_ * squares;
  }

  WidenedBlocks blocks_;
  std::span<const std::int8_t> labels_;
  std::int64_t rows_;
  std::int64_t columns_;
  std::int64_t outputs_;
  double l2_;
  std::vector<double> slopes_;
};

}  // namespace

LinearFit fit_logistic(const FeatureMatrix& features, std::span<const std::int8_t> labels,
                       std::int64_t classes, const LogisticOptions& options) {
  expect_labels(features, labels, classes);
  expect(options.l2 >= 0.0, "a negative penalty");
  PenalisedLikelihood likelihood(features, labels, outputs_for(classes), options.l2);
  auto minimum = minimize(
      [&](std::span<const double> at, std::span<double> gradient) {
        return likelihood(at, gradient);
      },
      std::vector<double>(checked_cast<std::size_t>(likelihood.parameters()), 0.0),
      {.max_iterations = options.max_iterations, .gradient_tolerance = options.gradient_tolerance});
  const auto bias = minimum.at.begin() + outputs_for(classes) * features.columns;
  return {.model = {.classes = classes,
                    .columns = features.columns,
                    .weights = {minimum.at.begin(), bias},
                    .bias = {bias, minimum.at.end()}},
          .converged = minimum.converged,
          .iterations = minimum.iterations,
          .objective = minimum.value,
          .gradient_norm = minimum.gradient_norm};
}

}  // namespace moesweep::training
