#include <cmath>

#include <moesweep/analysis/training/head.hpp>
#include <moesweep/analysis/training/streams.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/philox.hpp>
#include <moesweep/model/kernels/normal.hpp>

namespace moesweep::training {
namespace {

constexpr double attention_sd = 0.01;

struct TensorPlan {
  std::string name;
  std::vector<std::int64_t> shape;
  double bound = 0.0;  ///< of the uniform distribution; 0: normal
};

std::vector<TensorPlan> plan_of(const HeadShape& shape) {
  std::vector<TensorPlan> plan;
  const auto linear = [&plan](const std::string& name, std::int64_t outputs, std::int64_t inputs) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(inputs));
    plan.push_back({name + ".weight", {outputs, inputs}, bound});
    plan.push_back({name + ".bias", {outputs}, bound});
  };
  if (shape.kind == HeadKind::linear) {
    linear("fc", shape.outputs, shape.inputs);
    return plan;
  }
  if (shape.kind == HeadKind::attention_mlp) {
    linear("attention", shape.attention_width, shape.inputs);
    plan.push_back({"attention.v", {shape.attention_width}, 0.0});
  }
  linear("fc1", shape.width, shape.inputs);
  linear("fc2", shape.outputs, shape.width);
  return plan;
}

std::int64_t count_of(const TensorPlan& tensor) {
  std::int64_t count = 1;
  for (const auto side : tensor.shape) count *= side;
  return count;
}

}  // namespace

HeadKind head_kind_named(std::string_view name) {
  if (name == "linear") return HeadKind::linear;
  if (name == "mlp") return HeadKind::mlp;
  expect(name == "attention_mlp", "unknown kind of head");
  return HeadKind::attention_mlp;
}

template <typename Real>
HeadTensors<Real> initial_tensors(const HeadShape& shape, std::uint64_t seed) {
  HeadTensors<Real> tensors;
  const auto key = key_of(seed);
  for (const auto& plan : plan_of(shape)) {
    const auto stream = stream::weights + checked_cast<std::uint32_t>(tensors.size());
    auto& tensor = tensors.emplace_back(HeadTensor<Real>{plan.name, plan.shape, {}});
    const auto count = checked_cast<std::size_t>(count_of(plan));
    tensor.values.resize(count);
    for (std::size_t first = 0; first < count; first += 4) {
      const auto words = philox4x32_10({checked_cast<std::uint32_t>(first / 4), 0, 0, stream}, key);
      const auto normals = kernels::normals(words);
      for (std::size_t k = 0; k < 4 && first + k < count; ++k) {
        const double value = plan.bound == 0.0
                                 ? attention_sd * normals[k]
                                 : plan.bound * (2.0 * kernels::unit_interval(words[k]) - 1.0);
        tensor.values[first + k] = static_cast<Real>(static_cast<float>(value));
      }
    }
  }
  return tensors;
}

template HeadTensors<float> initial_tensors(const HeadShape&, std::uint64_t);
template HeadTensors<double> initial_tensors(const HeadShape&, std::uint64_t);

std::int64_t parameter_count(const HeadShape& shape) {
  std::int64_t count = 0;
  for (const auto& tensor : plan_of(shape)) count += count_of(tensor);
  return count;
}

}  // namespace moesweep::training
