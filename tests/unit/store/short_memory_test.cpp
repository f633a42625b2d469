// HDF5 crashes where memory is short; the program must say so instead.

#include <cstdint>
#include <cstdio>
#include <functional>
#include <new>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <moesweep/core/base/sanitizers.hpp>

#include "hdf5_create.hpp"
#include "hdf5_image.hpp"

namespace moesweep::store {
namespace {

constexpr int refused = 3;
constexpr int worked = 4;

/// Leaves the process so much address space beyond what it has.
void leave_memory(rlim_t bytes) {
  unsigned long pages = 0;
  if (FILE* const statm = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(statm, "%lu", &pages) != 1) pages = 0;
    std::fclose(statm);
  }
  const rlim_t limit = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + bytes;
  const rlimit limits{limit, limit};
  ::setrlimit(RLIMIT_AS, &limits);
}

void build_with(rlim_t bytes_left, const std::function<void(hid_t)>& fill) {
  leave_memory(bytes_left);
  try {
    build_image(fill);
  } catch (const std::bad_alloc&) {
    ::_exit(refused);
  }
  ::_exit(worked);
}

TEST(ShortMemoryDeathTest, IsToldBeforeHdf5MeetsIt) {
  if (is_sanitized) GTEST_SKIP() << "sanitizers reserve the address space";
  for (const rlim_t kib : {0, 64, 256, 1024, 4096}) {
    EXPECT_EXIT(build_with(kib << 10, [](hid_t) {}), testing::ExitedWithCode(refused), "") << kib;
  }
  EXPECT_EXIT(build_with(rlim_t{256} << 20, [](hid_t) {}), testing::ExitedWithCode(worked), "");
}

TEST(ShortMemoryDeathTest, InTheMiddleOfAFileIsToldToo) {
  if (is_sanitized) GTEST_SKIP() << "sanitizers reserve the address space";
  const std::vector<std::int8_t> values(std::size_t{64} << 20);
  const auto fill = [&](hid_t file) {
    for (const auto* name : {"a", "b", "c", "d"}) {
      create_dataset(file, name, H5T_STD_I8LE, {values.size()}, {}, values.data());
    }
  };
  for (const rlim_t mib : {32, 100, 200}) {
    EXPECT_EXIT(build_with(mib << 20, fill), testing::ExitedWithCode(refused), "") << mib;
  }
}

TEST(Hdf5Image, IsBuiltAfterOneThatWasGivenUp) {
  EXPECT_THROW(build_image([](hid_t) { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_FALSE(build_image([](hid_t) {}).empty());
}

}  // namespace
}  // namespace moesweep::store
