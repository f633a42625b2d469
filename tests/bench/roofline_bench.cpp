// How near the passes over the weights come to the machine: the streaming pass as a share of read
// bandwidth, the spectral pass as a share of SGEMM's peak. Both limits are measured in the same
// run.

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include <cblas.h>
#include <fmt/format.h>

#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/fast_spectrum.hpp>
#include <moesweep/model/kernels/isa.hpp>
#include <moesweep/model/kernels/moments.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

namespace moesweep::kernels {
namespace {

constexpr int rounds = 5;
constexpr std::int64_t columns = 4096;
constexpr std::int64_t block_rows = 1;  // what a sweep without spectra takes at a time
constexpr std::size_t block_weights = std::size_t{block_rows * columns};
constexpr std::size_t blocks = 32768;  // 256 MiB of BF16 a thread
using Buffer = std::vector<std::uint16_t>;

Buffer bf16_weights(std::size_t count) {
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  Buffer some(std::size_t{1} << 20);
  for (auto& value : some) {
    value = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(normal(random)) >> 16);
  }
  Buffer all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = some[i % some.size()];
  return all;
}

__attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3"))) std::uint64_t
sum_words(const std::uint64_t* words, std::size_t count) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += words[i];
  return sum;
}

volatile std::uint64_t sink;

void stream(const Buffer& weights) {
  sink = sum_words(reinterpret_cast<const std::uint64_t*>(weights.data()), weights.size() / 4);
}

void measure(const Buffer& weights, const std::vector<Quantizer>& quantizers, bool moments) {
  std::vector<float> values(block_weights);
  std::vector<double> sse(quantizers.size());
  RoundTripErrors errors(quantizers, Dtype::bf16);
  Moments total;
  for (std::size_t block = 0; block < blocks; ++block) {
    const auto from = std::span(weights).subspan(block * block_weights, block_weights);
    decode(Dtype::bf16, std::as_bytes(from), values);
    if (moments) total = merge(total, moments_of(values));
    errors.add({values, columns}, sse);
  }
  sink = static_cast<std::uint64_t>(sse.front() + total.m4);
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// GB/s of all threads together, each over a buffer of its own.
double bandwidth(const std::vector<Buffer>& buffers,
                 const std::function<void(const Buffer&)>& pass) {
  const double seconds = seconds_of([&] {
    std::vector<std::jthread> threads;
    for (const auto& buffer : buffers) threads.emplace_back([&] { pass(buffer); });
  });
  return static_cast<double>(buffers.size() * blocks * block_weights * 2) / seconds / 1e9;
}

void report_streaming(std::size_t threads) {
  const std::vector<Buffer> buffers(threads, bf16_weights(blocks * block_weights));
  std::vector<Quantizer> family;
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    for (const int group : {32, 64, 128}) family.push_back({QuantizerFamily::rtn, bits, group});
  }
  std::vector<double> read, swan, all, swan_share, all_share;
  for (int round = 0; round < rounds; ++round) {
    read.push_back(bandwidth(buffers, stream));
    swan.push_back(bandwidth(buffers, [](const Buffer& weights) {
      measure(weights, {{QuantizerFamily::rtn, 4, 128}}, true);
    }));
    all.push_back(
        bandwidth(buffers, [&](const Buffer& weights) { measure(weights, family, false); }));
    swan_share.push_back(100.0 * swan.back() / read.back());
    all_share.push_back(100.0 * all.back() / read.back());
  }
  fmt::print(
      "{} threads: read {:.1f} GB/s; SWAN's metrics {:.2f} GB/s = {:.1f} %; rtn, 6 bits x 3 groups "
      "{:.3f} GB/s = {:.2f} %\n",
      threads, median(read), median(swan), median(swan_share), median(all), median(all_share));
}

double sgemm_flops() {
  constexpr int side = 2048;
  std::vector<float> a(std::size_t{side} * side, 1.0F);
  std::vector<float> c(a.size());
  const double seconds = seconds_of([&] {
    cblas_sgemm(CblasColMajor, CblasNoTrans, CblasTrans, side, side, side, 1.0F, a.data(), side,
                a.data(), side, 0.0F, c.data(), side);
  });
  return 2.0 * side * side * side / seconds;
}

void report_spectrum(std::int64_t side, std::int64_t depth) {
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> values(static_cast<std::size_t>(side * depth));
  for (float& value : values) value = normal(random);
  const double flops = static_cast<double>(side * side * depth) +
                       4.0 / 3.0 * static_cast<double>(side * side * side);
  std::vector<double> rates, shares;
  bool fast = true;
  for (int round = 0; round < rounds; ++round) {
    const double seconds = seconds_of([&] {
      FastGram gram(side);
      for (std::int64_t row = 0; row < depth; row += 1024) {
        gram.add_rows(std::span(values).subspan(static_cast<std::size_t>(row * side),
                                                static_cast<std::size_t>(1024 * side)),
                      1024);
      }
      fast = gram.take_summary().has_value() && fast;
    });
    rates.push_back(flops / seconds);
    shares.push_back(100.0 * rates.back() / sgemm_flops());
  }
  fmt::print("spectrum of {} x {}: {:.1f} Gflop/s = {:.1f} % of SGEMM{}\n", depth, side,
             median(rates) / 1e9, median(shares), fast ? "" : " (not accurate enough!)");
}

}  // namespace
}  // namespace moesweep::kernels

int main() {
  using namespace moesweep::kernels;
  blas_is_reentrant();  // and one thread a call
  fmt::print("{}, {}\n", active_isa(), blas_description());
  report_streaming(1);
  report_streaming(2);
  report_spectrum(1024, 4096);
  report_spectrum(2048, 4096);
  report_spectrum(4096, 4096);
}
