#include "net.hpp"

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/training_steps.hpp>

namespace moesweep::training {
namespace {

// PyTorch's [outputs, inputs] to ours, and back.
template <typename Real>
void transpose(const Real* from, std::int64_t rows, std::int64_t columns, Real* to) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
  }
}

template <typename Real>
struct LoadTensors {
  const HeadTensors<Real>& tensors;
  std::size_t next = 0;

  const HeadTensor<Real>& take(std::int64_t count) {
    const auto& tensor = tensors.at(next++);
    expect(static_cast<std::int64_t>(tensor.values.size()) == count, "tensor of another head");
    return tensor;
  }
  void operator()(const char* /*name*/, Dense<Real>& layer) {
    transpose(take(layer.weight.size).values.data(), layer.outputs, layer.inputs,
              layer.weight.value.get());
    std::copy_n(take(layer.bias.size).values.data(), layer.outputs, layer.bias.value.get());
  }
  void operator()(const char* /*name*/, Parameter<Real>& parameter) {
    std::copy_n(take(parameter.size).values.data(), parameter.size, parameter.value.get());
  }
};

template <typename Real>
struct SaveTensors {
  HeadTensors<Real> tensors;

  void operator()(const std::string& name, const Dense<Real>& layer) {
    const auto weight = view(layer.weight.value, 0, layer.weight.size);
    std::vector<Real> turned(weight.size());
    transpose<Real>(weight.data(), layer.inputs, layer.outputs, turned.data());
    tensors.push_back({name + ".weight", {layer.outputs, layer.inputs}, std::move(turned)});
    const auto bias = view(layer.bias.value, 0, layer.bias.size);
    tensors.push_back({name + ".bias", {layer.outputs}, {bias.begin(), bias.end()}});
  }
  void operator()(const std::string& name, const Parameter<Real>& parameter) {
    const auto values = view(parameter.value, 0, parameter.size);
    tensors.push_back({name, {parameter.size}, {values.begin(), values.end()}});
  }
};

// Calls `visit(name, layer or parameter)` in the order of HeadTensors.
template <typename Real, typename Visit>
void visit_all(const HeadShape& shape, Attention<Real>* attention, Dense<Real>* hidden_layer,
               Dense<Real>& output_layer, Visit&& visit) {
  if (attention != nullptr) {
    visit("attention", attention->scores_of);
    visit("attention.v", attention->v);
  }
  if (hidden_layer != nullptr) visit("fc1", *hidden_layer);
  visit(shape.kind == HeadKind::linear ? "fc" : "fc2", output_layer);
}

}  // namespace

template <typename Real>
Net<Real>::Net(const HeadShape& shape, std::int64_t most_examples)
    : shape_(shape),
      output_layer_(shape.kind == HeadKind::linear ? shape.inputs : shape.width, shape.outputs),
      logits_(kernels::allocate_aligned<Real>(most_examples * shape.outputs)) {
  if (shape.kind == HeadKind::linear) return;
  hidden_layer_ = std::make_unique<Dense<Real>>(shape.inputs, shape.width);
  for (auto* buffer : {&before_, &activation_, &slope_, &by_before_}) {
    *buffer = kernels::allocate_aligned<Real>(most_examples * shape.width);
  }
  if (shape.kind != HeadKind::attention_mlp) return;
  attention_ = std::make_unique<Attention<Real>>(shape.inputs, shape.attention_width);
  for (auto* buffer : {&pooled_, &by_pooled_}) {
    *buffer = kernels::allocate_aligned<Real>(most_examples * shape.inputs);
  }
}

template <typename Real>
void Net<Real>::load(const HeadTensors<Real>& tensors) {
  visit_all(shape_, attention_.get(), hidden_layer_.get(), output_layer_,
            LoadTensors<Real>{tensors});
}

template <typename Real>
HeadTensors<Real> Net<Real>::tensors() const {
  SaveTensors<Real> save;
  // The layers are only read: visit_all() serves both directions.
  auto& self = const_cast<Net&>(*this);
  visit_all(shape_, self.attention_.get(), self.hidden_layer_.get(), self.output_layer_, save);
  return std::move(save.tensors);
}

template <typename Real>
const Real* Net<Real>::pool(const Batch<Real>& batch) {
  if (!attention_) return batch.rows;
  attention_->forward(batch.rows, batch.first, pooled_.get());
  return pooled_.get();
}

template <typename Real>
std::span<const Real> Net<Real>::forward(const Batch<Real>& batch, std::span<const Real> mask) {
  const Real* inputs = pool(batch);
  if (hidden_layer_) {
    const auto count = batch.examples * shape_.width;
    hidden_layer_->forward(inputs, batch.examples, before_.get());
    kernels::gelu(view(before_, 0, count), mask, view(activation_, 0, count),
                  view(slope_, 0, count));
    inputs = activation_.get();
  }
  output_layer_.forward(inputs, batch.examples, logits_.get());
  return view(logits_, 0, batch.examples * shape_.outputs);
}

template <typename Real>
void Net<Real>::backward(const Batch<Real>& batch, std::span<const Real> by_logits,
                         GradientSink<Real>& sink) {
  if (!hidden_layer_) {
    output_layer_.backward(batch.rows, batch.examples, by_logits.data(), sink);
    return;
  }
  output_layer_.input_gradient(by_logits.data(), batch.examples, by_before_.get());
  output_layer_.backward(activation_.get(), batch.examples, by_logits.data(), sink);
  const auto count = static_cast<std::size_t>(batch.examples * shape_.width);
  for (std::size_t i = 0; i < count; ++i) by_before_[i] *= slope_[i];
  if (!attention_) {
    hidden_layer_->backward(batch.rows, batch.examples, by_before_.get(), sink);
    return;
  }
  hidden_layer_->input_gradient(by_before_.get(), batch.examples, by_pooled_.get());
  hidden_layer_->backward(pooled_.get(), batch.examples, by_before_.get(), sink);
  attention_->backward(batch.rows, batch.first, by_pooled_.get(), sink);
}

template class Net<float>;
template class Net<double>;

}  // namespace moesweep::training
