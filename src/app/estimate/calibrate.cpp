#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <random>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/app/estimate/calibrate.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/retried.hpp>
#include <moesweep/core/base/temporary_folder.hpp>
#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/engine/capacity/rates.hpp>
#include <moesweep/engine/capacity/resources.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/write.hpp>

namespace moesweep::estimate {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t read_block_bytes = std::size_t{8} << 20;
constexpr std::uint64_t most_bytes_read = std::uint64_t{2} << 30;
constexpr std::uint64_t least_bytes_read = std::uint64_t{256} << 20;
constexpr int small_units = 200;

// Mean over the threads of the seconds that `work` takes on all of them at once.
double seconds_on_all(int threads, const std::function<void()>& work) {
  std::vector<double> seconds(checked_cast<std::size_t>(threads));
  std::vector<std::exception_ptr> failures(seconds.size());
  const auto measure = [&](std::size_t i) {
    try {
      const auto begin = std::chrono::steady_clock::now();
      work();
      seconds[i] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    } catch (...) {
      failures[i] = std::current_exception();
    }
  };
  {
    parallel::TaskPool pool(threads);
    for (std::size_t i = 0; i < seconds.size(); ++i) pool.start([&measure, i] { measure(i); });
  }
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  double sum = 0.0;
  for (const double one : seconds) sum += one;
  return sum / threads;
}

// Shapes of experts, tall and wide, and one matrix that is all overhead.
void write_sample(const fs::path& path) {
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  const auto fill = [&](std::uint64_t, std::span<std::byte> out) {
    for (std::size_t i = 0; i < out.size(); i += 2) {
      const auto bits = std::bit_cast<std::uint32_t>(normal(random));
      out[i] = static_cast<std::byte>(bits >> 16);
      out[i + 1] = static_cast<std::byte>(bits >> 24);
    }
  };
  const std::vector<checkpoint::TensorSource> tensors = {
      {"big.experts.a", Dtype::bf16, {8, 2048, 512}, fill},
      {"big.experts.b", Dtype::bf16, {3, 4096, 1024}, fill},
      {"big.c", Dtype::bf16, {2048, 4096}, fill},
      {"small", Dtype::bf16, {64, 64}, fill},
  };
  checkpoint::write_safetensors(path, tensors);
}

struct Measured {
  double seconds = 0.0;
  double weights = 0.0;
  double round_trips = 0.0;
  double gram_flops = 0.0;
};

sensitivity::Options options_for(const std::string& tensors) {
  sensitivity::Options options;
  options.include = {tensors};
  for (const auto family : {kernels::QuantizerFamily::rtn, kernels::QuantizerFamily::affine}) {
    for (const int bits : {2, 4, 8}) {
      for (const int group : {32, 128}) options.quantizers.push_back({family, bits, group});
    }
  }
  return options;
}

Measured measure_units(const checkpoint::Checkpoint& checkpoint,
                       const sensitivity::Options& options, int threads, int repeats) {
  const checkpoint::TensorReader reader(checkpoint);
  const auto items = sensitivity::cut(checkpoint, options);
  Measured out;
  for (const auto& item : items) {
    out.weights += static_cast<double>(item.weights) * repeats;
    out.round_trips += static_cast<double>(item.round_trips) * repeats;
    out.gram_flops += static_cast<double>(item.gram_flops) * repeats;
  }
  out.seconds = seconds_on_all(threads, [&] {
    for (int i = 0; i < repeats; ++i) {
      for (const auto& item : items) sensitivity::measure(checkpoint, reader, item, options);
    }
  });
  return out;
}

// The metrics one after the other: what each adds is its cost.
void measure_kernels(capacity::Rates& rates, int threads) {
  const TemporaryFolder folder(fs::temp_directory_path(), "moesweep-calibrate-",
                               ExitCode::io_error);
  write_sample(folder.path() / "model.safetensors");
  const auto checkpoint = checkpoint::open_checkpoint(folder.path());
  const auto small = measure_units(checkpoint, options_for("small"), threads, small_units);
  auto options = options_for("big.*");
  options.error = options.spectrum = false;
  options.quantizers.clear();
  measure_units(checkpoint, options, threads, 1);  // first touches
  const auto moments = measure_units(checkpoint, options, threads, 20);
  options.spectrum = true;
  const auto spectrum = measure_units(checkpoint, options, threads, 2);
  options = options_for("big.*");
  options.spectrum = false;
  const auto errors = measure_units(checkpoint, options, threads, 10);

  const double seconds_a_weight = moments.seconds / moments.weights;
  const auto added = [&](const Measured& measured) {
    return std::max(measured.seconds - seconds_a_weight * measured.weights, 1e-9);
  };
  rates.moments_per_second_core = 1.0 / seconds_a_weight;
  rates.gram_flops_per_core = spectrum.gram_flops / added(spectrum);
  rates.round_trips_per_second_core = errors.round_trips / added(errors);
  rates.unit_overhead_seconds = small.seconds / small_units;
}

struct Piece {
  std::size_t file;
  std::uint64_t offset;
  std::size_t bytes;
};

std::vector<fs::path> files_below(const fs::path& path) {
  if (!is_folder(path)) return {path};
  auto files = paths_below(path);
  std::erase_if(files, [](const fs::path& file) { return !fs::is_regular_file(status_of(file)); });
  return files;
}

double read_bytes_per_second(const fs::path& path, int threads) {
  std::vector<FileDescriptor> files;
  std::vector<Piece> pieces;
  std::uint64_t bytes = 0;
  for (const auto& file : files_below(path)) {
    if (bytes >= most_bytes_read) break;
    files.push_back(open_for_reading(file));
    const auto size = file_size(files.back(), file);
    for (std::uint64_t at = 0; at < size && bytes < most_bytes_read; at += read_block_bytes) {
      const auto count = std::min<std::uint64_t>(read_block_bytes, size - at);
      pieces.push_back({files.size() - 1, at, count});
      bytes += count;
    }
  }
  if (bytes == 0) throw Error(ExitCode::bad_input, path.string(), "holds nothing to read");
  // A small sample again and again, so that starting threads does not count.
  const auto repeats = std::max<std::uint64_t>(least_bytes_read / bytes, 1);
  const auto pieces_to_read = pieces.size() * repeats;
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto begin = std::chrono::steady_clock::now();
  seconds_on_all(threads, [&] {
    std::vector<std::byte> buffer(read_block_bytes);
    for (auto i = next++; i < pieces_to_read; i = next++) {
      const auto& piece = pieces[i % pieces.size()];
      const auto got = retried([&] {
        return ::pread(files[piece.file].get(), buffer.data(), piece.bytes,
                       static_cast<off_t>(piece.offset));
      });
      if (std::cmp_not_equal(got, piece.bytes)) failed = true;
    }
  });
  if (failed) throw Error(ExitCode::io_error, path.string(), "cannot be read to its end");
  const auto elapsed = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(bytes * repeats) / std::chrono::duration<double>(elapsed).count();
}

}  // namespace

capacity::Rates calibrate(const fs::path& read_from, int threads) {
  capacity::Rates rates;
  try {
    rates.read_bytes_per_second_node = read_bytes_per_second(read_from, threads);
    rates.read_bytes_per_second_total = rates.read_bytes_per_second_node;
    measure_kernels(rates, threads);
  } catch (const fs::filesystem_error& error) {
    throw io_error_of(error);
  }
  return rates;
}

std::string calibrated_profile(const capacity::Rates& rates, int threads) {
  const auto memory =
      static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  return fmt::format(
      "# Measured by moesweep doctor --calibrate on {}. Adapt the allocation; all nodes together\n"
      "# often read less than their number times one node.\n"
      "schema = 1\n"
      "name = \"calibrated\"\n"
      "nodes = 1\n"
      "tasks_per_node = 1\n"
      "cpus_per_task = {}\n"
      "memory_per_task = {}\n"
      "launcher = \"none\"\n"
      "\n"
      "[rates]\n"
      "read_bytes_per_second_node = {:.3e}\n"
      "read_bytes_per_second_total = {:.3e}\n"
      "gram_flops_per_core = {:.3e}\n"
      "round_trips_per_second_core = {:.3e}\n"
      "moments_per_second_core = {:.3e}\n"
      "unit_overhead_seconds = {:.3e}\n",
      capacity::host_name(), threads, memory, rates.read_bytes_per_second_node,
      rates.read_bytes_per_second_total, rates.gram_flops_per_core,
      rates.round_trips_per_second_core, rates.moments_per_second_core,
      rates.unit_overhead_seconds);
}

}  // namespace moesweep::estimate
