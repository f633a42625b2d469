#include <algorithm>
#include <limits>

#include <moesweep/analysis/training/streams.hpp>
#include <moesweep/analysis/training/trainer.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/training_steps.hpp>

#include "loss.hpp"
#include "net.hpp"

namespace moesweep::training {
namespace {

constexpr std::int64_t evaluation_batch = 256;

// Copies examples side by side, since a batch takes them in random order.
template <typename Real>
class Gather {
 public:
  explicit Gather(const Examples& examples) : examples_(examples) {}

  const Batch<Real>& operator()(std::span<const std::int64_t> chosen) {
    batch_.examples = static_cast<std::int64_t>(chosen.size());
    batch_.first.clear();
    labels_.clear();
    std::int64_t rows = 0;
    for (const auto i : chosen) {
      labels_.push_back(examples_.labels[static_cast<std::size_t>(i)]);
      batch_.first.push_back(rows);
      const auto range = range_of(i);
      rows += range.end - range.first;
    }
    batch_.first.push_back(rows);
    reserve(rows);
    for (std::size_t k = 0; k < chosen.size(); ++k) copy(range_of(chosen[k]), batch_.first[k]);
    batch_.rows = rows_.get();
    return batch_;
  }
  std::span<const std::int8_t> labels() const { return labels_; }

 private:
  TokenRange range_of(std::int64_t example) const {
    if (examples_.tokens.empty()) return {example, example + 1};
    return examples_.tokens[static_cast<std::size_t>(example)];
  }
  void reserve(std::int64_t rows) {
    if (rows <= capacity_) return;
    capacity_ = rows;
    rows_ = kernels::allocate_aligned<Real>(rows * examples_.features->columns);
  }
  void copy(TokenRange from, std::int64_t to) {
    const auto columns = static_cast<std::size_t>(examples_.features->columns);
    for (auto row = from.first; row < from.end; ++row, ++to) {
      const auto values = examples_.features->row(row);
      std::copy(values.begin(), values.end(), rows_.get() + static_cast<std::size_t>(to) * columns);
    }
  }

  const Examples& examples_;
  Batch<Real> batch_;
  std::vector<std::int8_t> labels_;
  kernels::AlignedBuffer<Real> rows_;
  std::int64_t capacity_ = 0;
};

template <typename Real>
class AdamSink final : public GradientSink<Real> {
 public:
  explicit AdamSink(double learning_rate) { step_.learning_rate = learning_rate; }
  void begin(std::int64_t t) { step_.t = t; }
  void take(Parameter<Real>& parameter, std::int64_t from,
            std::span<const Real> gradient) override {
    const auto count = static_cast<std::int64_t>(gradient.size());
    kernels::adam(step_, gradient, view(parameter.value, from, count),
                  view(parameter.first, from, count), view(parameter.second, from, count));
  }

 private:
  kernels::AdamStep step_;
};

// Puts gradients where the values are: a net of gradients.
template <typename Real>
class ReplacingSink final : public GradientSink<Real> {
 public:
  void take(Parameter<Real>& parameter, std::int64_t from,
            std::span<const Real> gradient) override {
    std::copy(gradient.begin(), gradient.end(), parameter.value.get() + from);
  }
};

template <typename Real>
double mean_loss(Net<Real>& net, const Examples& examples, std::span<const std::int64_t> chosen,
                 std::span<const double> class_weights) {
  Gather<Real> gather(examples);
  std::vector<Real> logits;
  std::vector<std::int8_t> labels;
  for (std::size_t lo = 0; lo < chosen.size(); lo += evaluation_batch) {
    const auto some =
        chosen.subspan(lo, std::min<std::size_t>(evaluation_batch, chosen.size() - lo));
    const auto part = net.forward(gather(some), {});
    logits.insert(logits.end(), part.begin(), part.end());
    labels.insert(labels.end(), gather.labels().begin(), gather.labels().end());
  }
  return loss<Real>(logits, net.shape().outputs, labels, class_weights, {});
}

// Early stop: the best weights so far by calibration loss.
template <typename Real>
class BestEpoch {
 public:
  /// True when there was no better epoch for `patience` epochs.
  bool is_over(double loss, const Net<Real>& net, std::int64_t patience) {
    if (tensors_.empty() || loss < least_loss_) {
      least_loss_ = loss;
      tensors_ = net.tensors();
      epochs_since_ = 0;
      return false;
    }
    return ++epochs_since_ >= patience;
  }
  HeadTensors<Real> take() { return std::move(tensors_); }

 private:
  double least_loss_ = std::numeric_limits<double>::infinity();
  HeadTensors<Real> tensors_;
  std::int64_t epochs_since_ = 0;
};

std::int64_t mask_size(const TrainOptions& options) {
  const auto units = options.batch * options.shape.width;
  return (units + kernels::dropout_block - 1) / kernels::dropout_block * kernels::dropout_block;
}

template <typename Real>
class Training {
 public:
  Training(const Examples& examples, const TrainOptions& options, std::uint64_t seed)
      : examples_(examples),
        options_(options),
        seed_(seed),
        train_(rows_of_split(examples.split, records::Split::train)),
        gather_(examples),
        adam_(options.learning_rate),
        net_(options.shape, std::max(options.batch, evaluation_batch)),
        by_logits_(checked_cast<std::size_t>(options.batch * options.shape.outputs)) {
    expect(!train_.empty(), "no example in the train split");
    net_.load(initial_tensors<Real>(options.shape, seed));
    if (options.dropout > 0.0 && options.shape.kind != HeadKind::linear) {
      mask_.resize(checked_cast<std::size_t>(mask_size(options)));
    }
  }

  TrainedHead<Real> run() {
    const auto calibration = rows_of_split(examples_.split, records::Split::calibration);
    expect(!options_.early_stop || !calibration.empty(), "early stop without calibration");
    BestEpoch<Real> best;
    TrainedHead<Real> head{options_.shape, {}, 0};
    while (head.epochs < options_.epochs) {
      run_epoch(checked_cast<std::uint32_t>(head.epochs++));
      if (!options_.early_stop) continue;
      const double loss = mean_loss<Real>(net_, examples_, calibration, options_.class_weights);
      if (best.is_over(loss, net_, options_.patience)) break;
    }
    head.tensors = options_.early_stop ? best.take() : net_.tensors();
    return head;
  }

 private:
  void run_epoch(std::uint32_t epoch) {
    const auto order =
        permutation(seed_, stream::order, epoch, static_cast<std::int64_t>(train_.size()));
    std::vector<std::int64_t> chosen;
    const auto batch = static_cast<std::size_t>(options_.batch);
    for (std::size_t lo = 0; lo < order.size(); lo += batch) {
      chosen.clear();
      for (std::size_t i = lo; i < std::min(lo + batch, order.size()); ++i) {
        chosen.push_back(train_[static_cast<std::size_t>(order[i])]);
      }
      run_step(gather_(chosen));
    }
  }

  void run_step(const Batch<Real>& batch) {
    adam_.begin(++steps_);
    const auto logits = net_.forward(batch, draw_mask(batch.examples));
    const auto by_logits = std::span(by_logits_).first(logits.size());
    loss<Real>(logits, options_.shape.outputs, gather_.labels(), options_.class_weights, by_logits);
    net_.backward(batch, by_logits, adam_);
  }

  std::span<const Real> draw_mask(std::int64_t examples) {
    if (mask_.empty()) return {};
    kernels::dropout_mask({key_of(seed_), checked_cast<std::uint32_t>(steps_), stream::dropout},
                          options_.dropout, std::span<Real>(mask_));
    return std::span(mask_).first(static_cast<std::size_t>(examples * options_.shape.width));
  }

  const Examples& examples_;
  const TrainOptions& options_;
  std::uint64_t seed_;
  std::vector<std::int64_t> train_;
  Gather<Real> gather_;
  AdamSink<Real> adam_;
  Net<Real> net_;
  std::vector<Real> by_logits_;
  std::vector<Real> mask_;
  std::int64_t steps_ = 0;
};

std::vector<std::int64_t> all_of(const Examples& examples) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(examples.count()));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  return all;
}

}  // namespace

template <typename Real>
TrainedHead<Real> train(const Examples& examples, const TrainOptions& options, std::uint64_t seed) {
  return Training<Real>(examples, options, seed).run();
}

template <typename Real>
std::vector<Real> logits_of(const TrainedHead<Real>& head, const Examples& examples) {
  Net<Real> net(head.shape, evaluation_batch);
  net.load(head.tensors);
  Gather<Real> gather(examples);
  const auto all = all_of(examples);
  std::vector<Real> logits;
  logits.reserve(all.size() * static_cast<std::size_t>(head.shape.outputs));
  for (std::size_t lo = 0; lo < all.size(); lo += evaluation_batch) {
    const auto count = std::min<std::size_t>(evaluation_batch, all.size() - lo);
    const auto part = net.forward(gather(std::span(all).subspan(lo, count)), {});
    logits.insert(logits.end(), part.begin(), part.end());
  }
  return logits;
}

template <typename Real>
LossAndGradients<Real> loss_and_gradients(const TrainedHead<Real>& head, const Examples& examples,
                                          std::span<const double> class_weights) {
  Net<Real> net(head.shape, examples.count());
  net.load(head.tensors);
  Gather<Real> gather(examples);
  const auto& batch = gather(all_of(examples));
  const auto logits = net.forward(batch, {});
  std::vector<Real> by_logits(logits.size());
  LossAndGradients<Real> out;
  out.loss = loss<Real>(logits, head.shape.outputs, examples.labels, class_weights, by_logits);
  ReplacingSink<Real> sink;
  net.backward(batch, by_logits, sink);
  out.gradients = net.tensors();
  return out;
}

std::int64_t train_bytes(const TrainOptions& options, std::int64_t most_tokens) {
  const auto& shape = options.shape;
  const auto batch = std::max(options.batch, evaluation_batch);
  const auto copies = options.early_stop ? 5 : 4;  // moments, the tensors returned, the best ones
  const auto values = copies * parameter_count(shape) +
                      batch * most_tokens * (shape.inputs + shape.attention_width) +
                      2 * batch * shape.inputs + 5 * batch * shape.width;
  return static_cast<std::int64_t>(sizeof(float)) * values + (std::int64_t{1} << 20);
}

template TrainedHead<float> train(const Examples&, const TrainOptions&, std::uint64_t);
template TrainedHead<double> train(const Examples&, const TrainOptions&, std::uint64_t);
template std::vector<float> logits_of(const TrainedHead<float>&, const Examples&);
template std::vector<double> logits_of(const TrainedHead<double>&, const Examples&);
template LossAndGradients<float> loss_and_gradients(const TrainedHead<float>&, const Examples&,
                                                    std::span<const double>);
template LossAndGradients<double> loss_and_gradients(const TrainedHead<double>&, const Examples&,
                                                     std::span<const double>);

}  // namespace moesweep::training
