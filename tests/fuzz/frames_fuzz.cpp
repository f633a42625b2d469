// What comes out of the process that HDF5 runs in, which may have been taken over. The first byte
// chooses what is expected.

#include <cstring>

#include <moesweep/engine/store/results.hpp>

#include "hidden_cache_frames.hpp"
#include "hidden_cache_states.hpp"
#include "promise.hpp"
#include "results_frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  if (size == 0) return 0;
  auto left = std::as_bytes(std::span(data + 1, size - 1));
  store::FrameReader in([&](std::span<std::byte> out) {
    const auto got = std::min(out.size(), left.size());
    if (got > 0) std::memcpy(out.data(), left.data(), got);
    left = left.subspan(got);
    return got;
  });
  constexpr std::uint64_t most_bytes = std::uint64_t{64} << 20;
  constexpr std::size_t states = 1000;
  try {
    fuzz::parses_or_refuses(
        [&] {
          if (data[0] % 3 == 0) store::receive_results(in, "fuzz", most_bytes);
          if (data[0] % 3 == 1) store::receive_contents(in, "fuzz");
          if (data[0] % 3 == 2) store::receive_states(in, states, [](std::span<const float>) {});
          in.finish();
        },
        {ExitCode::bad_input, ExitCode::io_error});
  } catch (const store::BrokenStream&) {
    return 0;
  }
  return 0;
}
