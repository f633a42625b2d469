#pragma once
// Parameters with Adam's moments, and the fully connected layer.

#include <algorithm>
#include <cstdint>
#include <span>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/kernels/aligned_buffer.hpp>
#include <moesweep/model/kernels/matrix_product.hpp>
#include <moesweep/model/kernels/row_products.hpp>
#include <moesweep/model/kernels/training_steps.hpp>

namespace moesweep::training {

template <typename Real>
kernels::AlignedBuffer<Real> zeros(std::int64_t count) {
  auto buffer = kernels::allocate_aligned<Real>(count);
  std::fill_n(buffer.get(), count, Real{0});
  return buffer;
}

template <typename Real>
std::span<Real> view(const kernels::AlignedBuffer<Real>& buffer, std::int64_t first,
                     std::int64_t count) {
  return {buffer.get() + first, checked_cast<std::size_t>(count)};
}

template <typename Real>
struct Parameter {
  explicit Parameter(std::int64_t count)
      : size(count),
        value(zeros<Real>(count)),
        first(zeros<Real>(count)),
        second(zeros<Real>(count)) {}
  std::int64_t size;
  kernels::AlignedBuffer<Real> value;
  kernels::AlignedBuffer<Real> first;   ///< Adam's mean of gradients
  kernels::AlignedBuffer<Real> second;  ///< and of their squares
};

/// Where gradients go, piece by piece, so that a piece is used while it is in cache.
template <typename Real>
class GradientSink {
 public:
  virtual ~GradientSink() = default;
  /// The gradient of parameter.value[from, from + gradient.size()): each value once a step.
  virtual void take(Parameter<Real>& parameter, std::int64_t from,
                    std::span<const Real> gradient) = 0;
};

/// c [m, n] += op(a) b, without gaps; `lda` is the row stride of a.
inline void add(kernels::Transpose a_op, std::int64_t m, std::int64_t n, std::int64_t k,
                const float* a, std::int64_t lda, const float* b, float* c) {
  kernels::add_product(a_op, m, n, k, a, lda, b, n, c, n);
}
inline void add(kernels::Transpose a_op, std::int64_t m, std::int64_t n, std::int64_t k,
                const double* a, std::int64_t lda, const double* b, double* c) {
  multiply(a_op, kernels::Transpose::no, m, n, k, 1.0, a, lda, b, n, 1.0, c, n);
}

/// y = x W^T + b. The weight is kept transposed, [inputs, outputs], so that a panel of its gradient
/// is one contiguous piece.
template <typename Real>
class Dense {
 public:
  Dense(std::int64_t input_count, std::int64_t output_count)
      : inputs(input_count),
        outputs(output_count),
        weight(input_count * output_count),
        bias(output_count),
        panel_rows_(std::clamp<std::int64_t>(panel_values / output_count, 1, input_count)),
        panel_(kernels::allocate_aligned<Real>(std::max(panel_rows_, std::int64_t{1}) *
                                               output_count)) {}

  /// x [rows, inputs], y [rows, outputs].
  void forward(const Real* x, std::int64_t rows, Real* y) const {
    for (std::int64_t i = 0; i < rows; ++i) {
      std::copy_n(bias.value.get(), outputs, y + i * outputs);
    }
    add(kernels::Transpose::no, rows, outputs, inputs, x, inputs, weight.value.get(), y);
  }

  /// dx [rows, inputs] from dy [rows, outputs]; before backward(), which may change the weight.
  void input_gradient(const Real* dy, std::int64_t rows, Real* dx) const {
    multiply(kernels::Transpose::no, kernels::Transpose::yes, rows, inputs, outputs, Real{1}, dy,
             outputs, weight.value.get(), outputs, Real{0}, dx, inputs);
  }

  /// Gradients of weight and bias.
  void backward(const Real* x, std::int64_t rows, const Real* dy, GradientSink<Real>& sink) {
    for (std::int64_t lo = 0; lo < inputs; lo += panel_rows_) {
      const auto count = std::min(panel_rows_, inputs - lo);
      std::fill_n(panel_.get(), count * outputs, Real{0});
      add(kernels::Transpose::yes, count, outputs, rows, x + lo, inputs, dy, panel_.get());
      sink.take(weight, lo * outputs, view(panel_, 0, count * outputs));
    }
    std::fill_n(panel_.get(), outputs, Real{0});
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < outputs; ++j)
        panel_[checked_cast<std::size_t>(j)] += dy[i * outputs + j];
    }
    sink.take(bias, 0, view(panel_, 0, outputs));
  }

  std::int64_t inputs;
  std::int64_t outputs;
  Parameter<Real> weight;  ///< [inputs, outputs]
  Parameter<Real> bias;

 private:
  /// Of a gradient panel: with the weights and moments beside it, it stays in a 256 KiB cache.
  static constexpr std::int64_t panel_values = std::int64_t{8} << 10;
  std::int64_t panel_rows_;
  kernels::AlignedBuffer<Real> panel_;
};

}  // namespace moesweep::training
