// Counts what a GramAccumulator really allocates: aligned allocations of this program are its own.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/model/kernels/spectrum.hpp>

namespace {

std::atomic<std::int64_t> live_bytes{0};
std::atomic<std::int64_t> highest_bytes{0};
constexpr std::size_t header = 64;  // keeps the size in front of the block, and its alignment

}  // namespace

void* operator new(std::size_t size, std::align_val_t alignment) {
  if (static_cast<std::size_t>(alignment) > header) throw std::bad_alloc();
  const std::size_t rounded = (size + header - 1) / header * header;
  auto* block = static_cast<std::byte*>(std::aligned_alloc(header, rounded + header));
  if (block == nullptr) throw std::bad_alloc();
  *reinterpret_cast<std::size_t*>(block) = size;
  live_bytes += static_cast<std::int64_t>(size);
  highest_bytes = std::max(highest_bytes.load(), live_bytes.load());
  return block + header;
}

void operator delete(void* pointer, std::align_val_t) noexcept {
  if (pointer == nullptr) return;
  auto* block = static_cast<std::byte*>(pointer) - header;
  live_bytes -= static_cast<std::int64_t>(*reinterpret_cast<std::size_t*>(block));
  std::free(block);
}

void operator delete(void* pointer, std::size_t, std::align_val_t alignment) noexcept {
  operator delete(pointer, alignment);
}

namespace moesweep::kernels {
namespace {

void expect_true_peak(std::int64_t side, std::int64_t other, bool as_rows) {
  const std::vector<float> block(static_cast<std::size_t>(side * other), 0.5F);
  highest_bytes = live_bytes.load();
  const std::int64_t before = live_bytes;
  GramAccumulator gram(side);
  as_rows ? gram.add_rows(block, other) : gram.add_columns(block, other);
  ASSERT_EQ(gram.take_eigenvalues().size(), static_cast<std::size_t>(side));
  EXPECT_EQ(highest_bytes - before, gram_peak_bytes(side, side * other));
  EXPECT_EQ(gram.peak_bytes(), gram_peak_bytes(side, side * other));
  EXPECT_EQ(live_bytes, before) << "buffers outlive the eigenvalues";
}

TEST(GramMemory, PlannedPeakIsWhatIsAllocated) {
  expect_true_peak(1, 1, true);
  expect_true_peak(40, 3, true);     // LAPACK scratch is larger than the panel
  expect_true_peak(40, 2000, true);  // one slab of the block is widened at a time
  expect_true_peak(40, 2000, false);
  expect_true_peak(300, 301, false);
}

}  // namespace
}  // namespace moesweep::kernels
