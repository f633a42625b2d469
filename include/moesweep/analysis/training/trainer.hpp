#pragma once
// Trains one head. A pure function of the examples, the options and the seed, on one thread; a
// seed's parameters and moments stay in that core's cache. The default precision is float; double
// serves to check gradients.

#include <cstdint>
#include <span>
#include <vector>

#include <moesweep/analysis/training/features.hpp>
#include <moesweep/analysis/training/head.hpp>

namespace moesweep::training {

/// Rows of an example's tokens, not empty.
struct TokenRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

/// What heads are trained and evaluated on. Does not own anything.
struct Examples {
  const FeatureMatrix* features = nullptr;  ///< standardized: a row an example, or a token
  std::span<const TokenRange> tokens{};     ///< attention_mlp: rows of each example; else empty
  std::span<const std::int8_t> labels{};    ///< class, or 0 and 1 for heads of one logit
  std::span<const std::int8_t> split{};     ///< 0 train, 1 calibration, 2 test

  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

struct TrainOptions {
  HeadShape shape;
  double dropout = 0.1;  ///< of hidden units
  std::int64_t epochs = 40;
  std::int64_t batch = 64;  ///< the last batch of an epoch may be smaller
  double learning_rate = 1e-3;
  /// Ends when the calibration loss has not fallen for `patience` epochs; the best epoch's weights
  /// are kept.
  bool early_stop = false;
  std::int64_t patience = 5;
  std::vector<double> class_weights{};  ///< of the loss, by class; empty: ones
};

template <typename Real>
struct TrainedHead {
  HeadShape shape;
  HeadTensors<Real> tensors;
  std::int64_t epochs = 0;  ///< run
};

/// Adam (PyTorch's arithmetic) on cross-entropy, or binary cross-entropy for one logit, from
/// initial_tensors(seed), with the batch orders and dropout masks of the seed (streams.hpp): epoch
/// e, from 0, takes the train split's examples, ascending, in the order of permutation(seed, order,
/// e). The train split must not be empty, nor the calibration split with early_stop.
template <typename Real>
TrainedHead<Real> train(const Examples& examples, const TrainOptions& options, std::uint64_t seed);

/// [examples, outputs], without dropout.
template <typename Real>
std::vector<Real> logits_of(const TrainedHead<Real>& head, const Examples& examples);

template <typename Real>
struct LossAndGradients {
  double loss = 0.0;
  HeadTensors<Real> gradients;  ///< by the tensors of the head, of the same shapes
};

/// Over all examples at once, without dropout, whatever their split.
template <typename Real>
LossAndGradients<Real> loss_and_gradients(const TrainedHead<Real>& head, const Examples& examples,
                                          std::span<const double> class_weights);

/// Bytes that train() allocates at most for `most_tokens` tokens an example (1 without attention).
std::int64_t train_bytes(const TrainOptions& options, std::int64_t most_tokens);

}  // namespace moesweep::training
