#include <cstring>
#include <filesystem>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/model/kernels/isa.hpp>

#include "support.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::twin {
namespace {

TEST(TwinBytes, AreTheSameWhateverOffsetAndLengthAreRead) {
  const auto twin = open_twin(test::varied_inventory(), {});
  const checkpoint::TensorReader reader(twin);
  std::mt19937_64 random(7);
  for (const auto& tensor : twin.tensors) {
    const auto whole = test::bytes_of(twin, tensor);
    for (int trial = 0; trial < 40; ++trial) {
      const auto offset = random() % whole.size();
      const auto length = 1 + random() % std::min<std::size_t>(whole.size() - offset, 5000);
      std::vector<std::byte> part(length);
      reader.read(tensor, offset, part);
      ASSERT_EQ(std::memcmp(part.data(), whole.data() + offset, length), 0)
          << tensor.name << " at " << offset << " of " << length;
    }
  }
}

TEST(TwinBytes, AreTheSameForManyReadersAtOnce) {
  const auto twin = open_twin(test::varied_inventory(), {});
  const checkpoint::TensorReader reader(twin);
  std::vector<std::vector<std::byte>> found(4);
  {
    std::vector<std::jthread> threads;
    for (auto& bytes : found) {
      threads.emplace_back([&] {
        for (const auto& tensor : twin.tensors) {
          std::vector<std::byte> read(static_cast<std::size_t>(tensor.bytes()));
          reader.read(tensor, 0, read);
          bytes.insert(bytes.end(), read.begin(), read.end());
        }
      });
    }
  }
  for (const auto& bytes : found) EXPECT_EQ(bytes, found[0]);
}

TEST(TwinBytes, AreTheSameOnEveryInstructionSet) {
  const auto inventory = test::varied_inventory();
  const auto native = open_twin(inventory, {});
  std::vector<std::vector<std::byte>> wanted;
  for (const auto& tensor : native.tensors) wanted.push_back(test::bytes_of(native, tensor));
  for (const auto& isa : kernels::available_isas()) {
    kernels::pin_isa(isa);
    const auto twin = open_twin(inventory, {});
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(test::bytes_of(twin, twin.tensors[i]), wanted[i]) << isa;
    }
  }
  kernels::pin_isa("native");
}

TEST(TwinBytes, DependOnSeedAndName) {
  const auto text = test::header + "a,64x64,BF16,1,1,0.3\nb,64x64,BF16,1,1,0.3\n";
  const auto inventory = parse_inventory(text, "two.csv");
  const auto twin = open_twin(inventory, {});
  const auto other = open_twin(inventory, {.scale = 1, .seed = 1});
  EXPECT_NE(test::bytes_of(twin, twin.tensors[0]), test::bytes_of(twin, twin.tensors[1]));
  EXPECT_NE(test::bytes_of(twin, twin.tensors[0]), test::bytes_of(other, other.tensors[0]));
}

TEST(TwinBytes, SlicesOfAStackDiffer) {
  const auto twin = open_twin(test::varied_inventory(), {});
  const auto bytes = test::bytes_of(twin, twin.tensors[0]);
  const auto slice = bytes.size() / 4;
  EXPECT_NE(std::memcmp(bytes.data(), bytes.data() + slice, slice), 0);
}

TEST(TwinBytes, WrittenTwinHasTheBytesOfTheUnwritten) {
  const moesweep::test::TemporaryDirectory directory;
  const auto inventory = test::varied_inventory();
  const TwinOptions options{.scale = 2, .seed = 3};
  const auto targets = write_twin(inventory, options, directory.path() / "out", 100'000);
  EXPECT_EQ(targets.size(), 4U);
  const auto written = checkpoint::open_checkpoint(directory.path() / "out");
  const auto twin = open_twin(inventory, options);
  EXPECT_GT(written.shards.size(), 2U);
  ASSERT_EQ(written.tensors.size(), twin.tensors.size());
  for (std::size_t i = 0; i < twin.tensors.size(); ++i) {
    EXPECT_EQ(written.tensors[i].name, twin.tensors[i].name);
    EXPECT_EQ(written.tensors[i].shape, twin.tensors[i].shape);
    EXPECT_EQ(test::bytes_of(written, written.tensors[i]), test::bytes_of(twin, twin.tensors[i]));
  }
}

// As a kill leaves it: a marker, whole shards, and one that is not.
TEST(WriteTwin, FinishesWhatWasStopped) {
  const moesweep::test::TemporaryDirectory parent;
  const auto whole = parent.path() / "whole";
  const auto out = parent.path() / "out";
  const auto inventory = test::varied_inventory();
  write_twin(inventory, {}, whole, 100'000);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto stop_in_the_third_shard = [](std::int64_t bytes) {
      if (bytes > 250'000) ::_exit(0);
    };
    write_twin(inventory, {}, out, 100'000, stop_in_the_third_shard);
    ::_exit(1);
  }
  int ended = -1;
  ::waitpid(child, &ended, 0);
  ASSERT_EQ(ended, 0) << "it was not stopped";
  EXPECT_THROW(checkpoint::open_checkpoint(out), Error);
  EXPECT_THROW(write_twin(inventory, {.scale = 1, .seed = 9}, out, 100'000), Error);
  write_twin(inventory, {}, out, 100'000);
  std::ptrdiff_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(out)) {
    ++files;
    EXPECT_EQ(read_file(entry.path()), read_file(whole / entry.path().filename()));
  }
  EXPECT_EQ(files, std::distance(std::filesystem::directory_iterator(whole),
                                 std::filesystem::directory_iterator()));
}

TEST(WriteTwin, RefusesADirectoryInUse) {
  const moesweep::test::TemporaryDirectory directory;
  publish_file(directory.path() / "file", "x");
  EXPECT_THROW(write_twin(test::varied_inventory(), {}, directory.path(), 1 << 20), Error);
}

}  // namespace
}  // namespace moesweep::twin
