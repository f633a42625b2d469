#pragma once
// Small classification heads on hidden states, their parameters named and laid out as PyTorch does.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moesweep::training {

/// linear: Linear(d, outputs).
/// mlp: Linear(d, width), GELU (exact), Dropout, Linear(width, outputs).
/// attention_mlp: one vector from the tokens of a span by additive attention (Bahdanau, Cho and
/// Bengio, ICLR 2015: weights are the softmax of v . tanh(W h + b)), then mlp.
enum class HeadKind : std::uint8_t { linear, mlp, attention_mlp };

/// "linear", "mlp", "attention_mlp"; another name is a bug (the job's choices are checked before).
HeadKind head_kind_named(std::string_view name);

struct HeadShape {
  HeadKind kind = HeadKind::mlp;
  std::int64_t inputs = 0;   ///< d
  std::int64_t outputs = 0;  ///< logits: one a class, or 1 for a yes or no
  std::int64_t width = 256;
  std::int64_t attention_width = 64;
};

/// Row-major, as torch.nn.Linear keeps it: a weight is [outputs, inputs].
template <typename Real>
struct HeadTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<Real> values;
};

/// linear: fc.weight, fc.bias. mlp: fc1.weight, fc1.bias, fc2.weight, fc2.bias. attention_mlp:
/// attention.weight, attention.bias, attention.v before those of mlp.
template <typename Real>
using HeadTensors = std::vector<HeadTensor<Real>>;

/// PyTorch's default for Linear, uniform within 1/sqrt(inputs) of 0 for weight and bias, and
/// attention.v normal with standard deviation 0.01. Value e of tensor i comes from word w = e%4 of
/// counter (e/4, 0, 0, 0x100+i) by kernels/normal.hpp, (2 unit_interval(w) - 1)/sqrt(inputs) or
/// 0.01 times number e%4 of the block's normals; rounded to float, also for double.
template <typename Real>
HeadTensors<Real> initial_tensors(const HeadShape& shape, std::uint64_t seed);

/// Number of values in all tensors.
std::int64_t parameter_count(const HeadShape& shape);

}  // namespace moesweep::training
