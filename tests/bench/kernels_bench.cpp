// Single-thread speed of the kernels. MOESWEEP_ISA pins an instruction set.

#include <bit>
#include <cstddef>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/isa.hpp>
#include <moesweep/model/kernels/moments.hpp>
#include <moesweep/model/kernels/quantizer_registry.hpp>
#include <moesweep/model/kernels/round_trip.hpp>
#include <moesweep/model/kernels/spectrum.hpp>

namespace moesweep::kernels {
namespace {

constexpr std::int64_t columns = 4096;
constexpr std::int64_t l2_rows = 32;  // 512 KiB of floats

// Gaussian weights rounded to BF16, like a checkpoint's.
std::vector<float> weights(std::int64_t count) {
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<std::byte> bytes(static_cast<std::size_t>(2 * count));
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const auto bits = std::bit_cast<std::uint32_t>(normal(random));
    bytes[i] = static_cast<std::byte>(bits >> 16);
    bytes[i + 1] = static_cast<std::byte>(bits >> 24);
  }
  std::vector<float> values(static_cast<std::size_t>(count));
  decode(Dtype::bf16, bytes, values);
  return values;
}

void count_weights(benchmark::State& state, std::size_t per_iteration) {
  state.counters["weights/s"] = benchmark::Counter(
      static_cast<double>(per_iteration) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
}

void round_trips(benchmark::State& state, const std::vector<Quantizer>& quantizers, Dtype dtype,
                 std::int64_t rows) {
  const std::vector<float> values = weights(rows * columns);
  std::vector<double> sse(quantizers.size());
  RoundTripErrors errors(quantizers, dtype);
  for (auto _ : state) {
    errors.add({values, columns}, sse);
    benchmark::DoNotOptimize(sse.data());
  }
  count_weights(state, values.size());
}

std::vector<Quantizer> all_settings() {
  std::vector<Quantizer> quantizers;
  for (const auto family : {QuantizerFamily::rtn, QuantizerFamily::affine}) {
    for (const int bits : {2, 3, 4, 5, 6, 8}) {
      for (const int group : {32, 64, 128}) quantizers.push_back({family, bits, group});
    }
  }
  return quantizers;
}

void RoundTripRtn4g128(benchmark::State& state) {
  round_trips(state, {{QuantizerFamily::rtn, 4, 128}}, Dtype::bf16, l2_rows);
}
BENCHMARK(RoundTripRtn4g128);

void RoundTripAffine4g32(benchmark::State& state) {
  round_trips(state, {{QuantizerFamily::affine, 4, 32}}, Dtype::bf16, l2_rows);
}
BENCHMARK(RoundTripAffine4g32);

void RoundTripAll36(benchmark::State& state) {
  round_trips(state, all_settings(), Dtype::bf16, l2_rows);
}
BENCHMARK(RoundTripAll36)->Unit(benchmark::kMillisecond);

void RoundTripAll36F16FromMemory(benchmark::State& state) {
  round_trips(state, all_settings(), Dtype::f16, 64 * l2_rows);
}
BENCHMARK(RoundTripAll36F16FromMemory)->Unit(benchmark::kMillisecond);

void BlockFormatErrors(benchmark::State& state, const BlockFormat& format) {
  const std::vector<float> values = weights(columns);
  const int length = format.entry->groups.back();
  const std::vector<BlockQuantizer> quantizers = {{&format, length}};
  const BlockContext context{Dtype::bf16, largest_magnitude(values, 0.0F)};
  std::vector<double> sse(1);
  for (auto _ : state) {
    add_block_errors({values, columns}, quantizers, context, sse);
    benchmark::DoNotOptimize(sse.data());
  }
  count_weights(state, values.size());
}

void register_block_formats() {
  for (const auto& format : block_formats()) {
    benchmark::RegisterBenchmark(
        ("BlockFormat/" + std::string(format.name())).c_str(),
        [&format](benchmark::State& state) { BlockFormatErrors(state, format); });
  }
}

void MomentsOf(benchmark::State& state) {
  const std::vector<float> values = weights(l2_rows * columns);
  for (auto _ : state) benchmark::DoNotOptimize(moments_of(values));
  count_weights(state, values.size());
}
BENCHMARK(MomentsOf);

void Decode(benchmark::State& state, Dtype dtype) {
  std::vector<float> out(static_cast<std::size_t>(l2_rows * columns));
  const std::vector<std::byte> bytes(out.size() * static_cast<std::size_t>(dtype_bytes(dtype)));
  for (auto _ : state) {
    decode(dtype, bytes, out);
    benchmark::DoNotOptimize(out.data());
  }
  count_weights(state, out.size());
}
BENCHMARK_CAPTURE(Decode, bf16, Dtype::bf16);
BENCHMARK_CAPTURE(Decode, f16, Dtype::f16);
BENCHMARK_CAPTURE(Decode, f8_e4m3, Dtype::f8_e4m3);

void FirstNonfinite(benchmark::State& state) {
  const std::vector<float> values = weights(l2_rows * columns);
  for (auto _ : state) benchmark::DoNotOptimize(first_nonfinite(values));
  count_weights(state, values.size());
}
BENCHMARK(FirstNonfinite);

void GramOfExpert(benchmark::State& state) {  // [4096, k]
  const std::int64_t side = state.range(0);
  const std::vector<float> values = weights(4096 * side);
  for (auto _ : state) {
    GramAccumulator gram(side);
    gram.add_rows(values, 4096);
    benchmark::DoNotOptimize(gram);
  }
  count_weights(state, values.size());
}
BENCHMARK(GramOfExpert)->Arg(512)->Arg(1024)->Unit(benchmark::kMillisecond);

void SpectrumOfExpert(benchmark::State& state) {
  const std::int64_t side = state.range(0);
  const std::vector<float> values = weights(4096 * side);
  for (auto _ : state) {
    GramAccumulator gram(side);
    gram.add_rows(values, 4096);
    benchmark::DoNotOptimize(summarize_spectrum(gram.take_eigenvalues()));
  }
  count_weights(state, values.size());
}
BENCHMARK(SpectrumOfExpert)->Arg(512)->Arg(1024)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace moesweep::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (const char* isa = std::getenv("MOESWEEP_ISA")) moesweep::kernels::pin_isa(isa);
  benchmark::AddCustomContext("isa", moesweep::kernels::active_isa());
  benchmark::AddCustomContext("blas", moesweep::kernels::blas_description());
  moesweep::kernels::register_block_formats();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
