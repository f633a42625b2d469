// heads_bench SEEDS EPOCHS [SAMPLES DIM]: trains decision heads DIM-256-3 on all cores, one seed a
// core at a time, and prints seconds an epoch and seed, beside what the machine could do: the flops
// at the rate, measured just before, of the faster of SGEMM and our own product.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <moesweep/analysis/training/trainer.hpp>
#include <moesweep/model/kernels/aligned_buffer.hpp>
#include <moesweep/model/kernels/matrix_product.hpp>
#include <moesweep/model/kernels/normal.hpp>
#include <moesweep/model/kernels/row_products.hpp>

namespace {

using namespace moesweep;

double seconds_of(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void on_all(unsigned threads, const auto& work) {
  std::vector<std::jthread> pool;
  for (unsigned i = 0; i < threads; ++i) pool.emplace_back(work);
}

// Of `multiply`, per core while all work, on the shape of a forward pass.
double flops_per_core(unsigned threads, std::int64_t batch, std::int64_t inputs, std::int64_t width,
                      const auto& multiply) {
  constexpr int repeats = 200;
  const double seconds = seconds_of([&] {
    on_all(threads, [&] {
      const auto x = kernels::allocate_aligned<float>(batch * inputs);
      const auto w = kernels::allocate_aligned<float>(inputs * width);
      const auto y = kernels::allocate_aligned<float>(batch * width);
      std::fill_n(x.get(), batch * inputs, 0.5F);
      std::fill_n(w.get(), inputs * width, 0.25F);
      std::fill_n(y.get(), batch * width, 0.0F);
      for (int i = 0; i < repeats; ++i) multiply(x.get(), w.get(), y.get());
    });
  });
  return 2.0 * repeats * static_cast<double>(batch * inputs * width) / seconds;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, std::int64_t otherwise) {
    return argc > i ? std::strtoll(argv[i], nullptr, 10) : otherwise;
  };
  const std::int64_t seeds = number(1, 4);
  training::TrainOptions options;
  options.epochs = number(2, 5);
  const std::int64_t samples = number(3, 2975);
  options.shape = {training::HeadKind::mlp, number(4, 2560), 3, 256, 64};
  training::FeatureMatrix features{samples, options.shape.inputs, {}};
  features.values.resize(static_cast<std::size_t>(samples * features.columns));
  for (std::size_t i = 0; i < features.values.size(); i += 4) {
    const auto drawn =
        kernels::normals(philox4x32_10({static_cast<std::uint32_t>(i), 1, 0, 0}, {}));
    for (std::size_t k = 0; k < 4; ++k) features.values[i + k] = static_cast<float>(drawn[k]);
  }
  std::vector<std::int8_t> labels(static_cast<std::size_t>(samples));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int8_t>(i % 3);
  const std::vector<std::int8_t> split(labels.size(), 0);
  const training::Examples examples{&features, {}, labels, split};

  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  const auto inputs = options.shape.inputs;
  const auto batch = options.batch;
  constexpr auto no = kernels::Transpose::no;
  const double sgemm =
      flops_per_core(threads, batch, inputs, 256, [&](const float* x, const float* w, float* y) {
        kernels::multiply(no, no, batch, 256, inputs, 1.0F, x, inputs, w, 256, 1.0F, y, 256);
      });
  const double own =
      flops_per_core(threads, batch, inputs, 256, [&](const float* x, const float* w, float* y) {
        kernels::add_product(no, batch, 256, inputs, x, inputs, w, 256, y, 256);
      });
  std::atomic<std::int64_t> next = 0;
  const double seconds = seconds_of([&] {
    on_all(threads, [&] {
      for (std::int64_t seed = next++; seed < seeds; seed = next++) {
        training::train<float>(examples, options, static_cast<std::uint64_t>(seed));
      }
    });
  });
  const double per_epoch = seconds * threads / static_cast<double>(seeds * options.epochs);
  const double flops = 4.0 * static_cast<double>(samples * options.shape.inputs) * 256.0;
  fmt::print(
      "{{\"seeds\": {}, \"epochs\": {}, \"threads\": {}, \"seconds\": {:.3f}, "
      "\"core_seconds_per_epoch_and_seed\": {:.4f}, \"sgemm_gflops_per_core\": {:.1f}, "
      "\"own_gflops_per_core\": {:.1f}, "
      "\"flops_limit_seconds\": {:.4f}, \"memory_mib_per_seed\": {:.1f}}}\n",
      seeds, options.epochs, threads, seconds, per_epoch, sgemm * 1e-9, own * 1e-9,
      flops / std::max(sgemm, own),
      static_cast<double>(training::train_bytes(options, 1)) / (1 << 20));
  return 0;
}
