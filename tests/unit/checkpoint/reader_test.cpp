#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/checkpoint/checkpoint.hpp>

#include "safetensors_bytes.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::checkpoint {
namespace {

namespace fs = std::filesystem;
using moesweep::test::TemporaryDirectory;
using test::one_tensor_file;
using test::write_text;
using testing::AllOf;
using testing::HasSubstr;

std::string read_text(const TensorReader& reader, const Tensor& tensor, std::uint64_t offset,
                      std::size_t size) {
  std::string text(size, '?');
  reader.read(tensor, offset, std::as_writable_bytes(std::span(text)));
  return text;
}

class Reading : public testing::Test {
 protected:
  void SetUp() override {
    write_text(shard_, one_tensor_file("a", "0123456789"));
    write_text(directory_.path() / "2.safetensors", one_tensor_file("b", "abcdef"));
    checkpoint_ = open_checkpoint(directory_.path());
  }

  TemporaryDirectory directory_;
  fs::path shard_ = directory_.path() / "1.safetensors";
  Checkpoint checkpoint_;
};

TEST_F(Reading, GivesRangesWithinTheTensor) {
  const TensorReader reader(checkpoint_);
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[0], 0, 10), "0123456789");
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[0], 3, 4), "3456");
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[0], 10, 0), "");
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[1], 5, 1), "f");
}

TEST_F(Reading, GathersRangesThatAreEquallyFarApart) {
  const TensorReader reader(checkpoint_);
  std::string text(6, '?');
  auto read =
      reader.start(checkpoint_.tensors[0],
                   {{.offset = 1, .bytes = 2, .count = 2, .stride = 3}, {.offset = 8, .bytes = 2}},
                   std::as_writable_bytes(std::span(text)));
  read.finish();
  EXPECT_EQ(text, "124589");
}

TEST_F(Reading, AnErrorWaitsForTheOneWhoAsked) {
  const TensorReader reader(checkpoint_);
  fs::remove(shard_);
  std::string text(10, '?');
  auto read = reader.start(checkpoint_.tensors[0], {{.offset = 0, .bytes = 10}},
                           std::as_writable_bytes(std::span(text)));
  EXPECT_THROW(read.finish(), Error);
}

TEST_F(Reading, WorksWhenTheCheckpointIsGone) {
  auto copy = std::make_unique<Checkpoint>(checkpoint_);
  const TensorReader reader(*copy);
  copy.reset();
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[1], 0, 6), "abcdef");
}

TEST_F(Reading, OpensAShardOnlyWhenItIsReadAndKeepsItOpen) {
  const TensorReader reader(checkpoint_);
  fs::remove(directory_.path() / "2.safetensors");
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[0], 0, 1), "0");
  fs::remove(shard_);
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[0], 1, 1), "1");
  EXPECT_THAT(test::refusal([&] { read_text(reader, checkpoint_.tensors[1], 0, 1); }),
              HasSubstr("2.safetensors: cannot open"));
}

TEST_F(Reading, AShardThatChangedSizeIsRefusedNamingIt) {
  const TensorReader reader(checkpoint_);
  fs::resize_file(shard_, fs::file_size(shard_) + 1);
  EXPECT_THAT(test::refusal([&] { read_text(reader, checkpoint_.tensors[0], 0, 1); }),
              AllOf(HasSubstr("1.safetensors: changed size"), HasSubstr("start again")));
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[1], 0, 1), "a");
}

TEST_F(Reading, ARefusedShardCanBeReadOnceItIsMended) {
  const TensorReader reader(checkpoint_);
  const auto size = fs::file_size(shard_);
  fs::resize_file(shard_, size + 1);
  EXPECT_THROW(read_text(reader, checkpoint_.tensors[0], 0, 1), Error);
  fs::resize_file(shard_, size);
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[0], 0, 1), "0");
}

TEST_F(Reading, AShardThatShrinksWhileOpenIsRefusedNamingIt) {
  const TensorReader reader(checkpoint_);
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[0], 0, 1), "0");
  fs::resize_file(shard_, fs::file_size(shard_) - 5);
  EXPECT_EQ(read_text(reader, checkpoint_.tensors[0], 0, 5), "01234");
  EXPECT_THAT(test::refusal([&] { read_text(reader, checkpoint_.tensors[0], 0, 10); }),
              AllOf(HasSubstr("1.safetensors: ends at byte"), HasSubstr("truncated")));
}

TEST_F(Reading, ManyThreadsReadTheSameBytes) {
  const TensorReader reader(checkpoint_);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < 200; ++i) {
          const std::string digit(1, static_cast<char>('0' + i % 10));
          if (read_text(reader, checkpoint_.tensors[0], i % 10, 1) != digit) ++wrong;
          if (read_text(reader, checkpoint_.tensors[1], 0, 6) != "abcdef") ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

using ReadingDeathTest = Reading;

TEST_F(ReadingDeathTest, ARangeBeyondTheTensorIsABug) {
  const TensorReader reader(checkpoint_);
  EXPECT_DEATH(read_text(reader, checkpoint_.tensors[0], 9, 2), "past the end");
  EXPECT_DEATH(read_text(reader, checkpoint_.tensors[0], ~std::uint64_t{0}, 1), "past the end");
  std::string text(6, '?');
  EXPECT_DEATH(
      reader.start(checkpoint_.tensors[0], {{.offset = 3, .bytes = 2, .count = 3, .stride = 3}},
                   std::as_writable_bytes(std::span(text))),
      "past the end");
}

}  // namespace
}  // namespace moesweep::checkpoint
