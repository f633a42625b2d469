#pragma once
// A head with everything that training it needs: parameters, moments, what a batch leaves behind.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <moesweep/analysis/training/head.hpp>

#include "attention.hpp"
#include "dense.hpp"

namespace moesweep::training {

/// Inputs of a batch: one row an example, or the tokens of example i in rows first[i] ..
/// first[i+1]-1.
template <typename Real>
struct Batch {
  const Real* rows = nullptr;
  std::int64_t examples = 0;
  std::vector<std::int64_t> first{};  ///< attention_mlp only
};

template <typename Real>
class Net {
 public:
  Net(const HeadShape& shape, std::int64_t most_examples);

  void load(const HeadTensors<Real>& tensors);
  HeadTensors<Real> tensors() const;

  /// Logits [examples, outputs], valid until the next call. `mask` [examples, width] drops out
  /// hidden units; empty: none is.
  std::span<const Real> forward(const Batch<Real>& batch, std::span<const Real> mask);
  /// After forward() of the same batch, from the gradient by its logits.
  void backward(const Batch<Real>& batch, std::span<const Real> by_logits,
                GradientSink<Real>& sink);

  const HeadShape& shape() const { return shape_; }

 private:
  const Real* pool(const Batch<Real>& batch);

  HeadShape shape_;
  std::unique_ptr<Attention<Real>> attention_;
  std::unique_ptr<Dense<Real>> hidden_layer_;
  Dense<Real> output_layer_;
  kernels::AlignedBuffer<Real> pooled_, by_pooled_;  ///< [examples, d], attention_mlp
  kernels::AlignedBuffer<Real> before_, activation_, slope_, by_before_;  ///< [examples, width]
  kernels::AlignedBuffer<Real> logits_;
};

extern template class Net<float>;
extern template class Net<double>;

}  // namespace moesweep::training
