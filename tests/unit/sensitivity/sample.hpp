#pragma once
// Checkpoints made of a few matrices, and measuring all of one.

#include <bit>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/write.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::sensitivity::test {

struct Sample {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  Dtype dtype = Dtype::f32;
};

inline std::int64_t elements(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const auto side : shape) count *= side;
  return count;
}

inline Sample sample(std::string name, std::vector<std::int64_t> shape,
                     const std::function<float()>& draw, Dtype dtype = Dtype::f32) {
  Sample made{std::move(name), std::move(shape), {}, dtype};
  made.values.resize(static_cast<std::size_t>(elements(made.shape)));
  for (auto& value : made.values) value = draw();
  if (dtype == Dtype::bf16) {  // truncated here, so that `values` is what the file holds
    for (auto& value : made.values) {
      value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xffff0000U);
    }
  }
  return made;
}

/// Heavier tails than a normal distribution, and not centred.
inline std::function<float()> weights_like(std::uint64_t seed, float scale = 0.02F) {
  return [engine = std::mt19937_64(seed), normal = std::normal_distribution<float>(),
          scale]() mutable {
    const float x = normal(engine);
    return scale * (x + 0.1F * x * x * x + 0.05F);
  };
}

inline Sample gaussian(std::string name, std::vector<std::int64_t> shape, std::uint64_t seed = 1,
                       Dtype dtype = Dtype::f32) {
  return sample(std::move(name), std::move(shape), weights_like(seed), dtype);
}

inline Sample constant(std::string name, std::vector<std::int64_t> shape, float value) {
  return sample(std::move(name), std::move(shape), [value] { return value; });
}

inline std::vector<std::byte> encoded(const Sample& sample) {
  const auto width = static_cast<std::size_t>(dtype_bytes(sample.dtype));
  std::vector<std::byte> bytes(sample.values.size() * width);
  for (std::size_t i = 0; i < sample.values.size(); ++i) {
    auto* at = bytes.data() + i * width;
    if (sample.dtype == Dtype::f32) {
      std::memcpy(at, &sample.values[i], width);
    } else if (sample.dtype == Dtype::bf16) {
      const auto high = std::bit_cast<std::uint32_t>(sample.values[i]) >> 16;
      std::memcpy(at, &high, width);
    } else if (sample.dtype == Dtype::f64) {
      const double wide = sample.values[i];
      std::memcpy(at, &wide, width);
    } else {  // integers: any bytes will do
      std::memset(at, 1, width);
    }
  }
  return bytes;
}

/// A checkpoint on disk for the length of a test.
class SampleCheckpoint {
 public:
  explicit SampleCheckpoint(const std::vector<Sample>& samples) {
    std::vector<checkpoint::TensorSource> sources;
    for (const auto& each : samples) {
      sources.push_back({each.name, each.dtype, each.shape,
                         [bytes = encoded(each)](std::uint64_t offset, std::span<std::byte> out) {
                           std::memcpy(out.data(), bytes.data() + offset, out.size());
                         }});
    }
    const auto file = directory_.path() / "model.safetensors";
    checkpoint::write_safetensors(file, sources);
    opened_ = checkpoint::open_checkpoint(file);
  }

  const checkpoint::Checkpoint& opened() const { return opened_; }
  const checkpoint::Tensor& tensor(std::size_t i = 0) const { return opened_.tensors.at(i); }

  /// describe() and measure() of every item.
  records::Tables measured(const Options& options) const {
    const checkpoint::TensorReader reader(opened_);
    auto tables = describe(opened_, options);
    for (const auto& item : cut(opened_, options)) {
      records::append(tables, measure(opened_, reader, item, options));
    }
    return tables;
  }
  std::vector<records::SliceRow> slices(const Options& options) const {
    return records::rows_of<records::SliceRow>(measured(options));
  }

 private:
  moesweep::test::TemporaryDirectory directory_;
  checkpoint::Checkpoint opened_;
};

inline Options with_quantizers(std::vector<kernels::Quantizer> quantizers) {
  Options options;
  options.quantizers = std::move(quantizers);
  return options;
}

inline constexpr kernels::Quantizer rtn4 = {kernels::QuantizerFamily::rtn, 4, 128};
inline constexpr kernels::Quantizer rtn2 = {kernels::QuantizerFamily::rtn, 2, 32};
inline constexpr kernels::Quantizer affine3 = {kernels::QuantizerFamily::affine, 3, 64};

}  // namespace moesweep::sensitivity::test
