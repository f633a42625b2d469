// Stacks that are stored [E, in, out] and read as [E, out, in].

#include <cstring>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/write.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::checkpoint {
namespace {

using moesweep::test::TemporaryDirectory;

constexpr std::int64_t slices = 3, rows = 37, columns = 70;  // logical: out, in

template <typename Number>
class TransposedStack : public testing::Test {
 protected:
  static constexpr Dtype dtype = sizeof(Number) == 1   ? Dtype::u8
                                 : sizeof(Number) == 2 ? Dtype::u16
                                 : sizeof(Number) == 4 ? Dtype::u32
                                                       : Dtype::u64;

  void SetUp() override {
    std::vector<Number> stored(checked_cast<std::size_t>(slices * rows * columns));
    logical_.resize(stored.size());
    for (std::int64_t slice = 0; slice < slices; ++slice) {
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
          const auto value = static_cast<Number>((slice * 31 + row) * 7 + column * 3);
          stored[index((slice * columns + column) * rows + row)] = value;
          logical_[index((slice * rows + row) * columns + column)] = value;
        }
      }
    }
    const auto path = directory_.path() / "m.safetensors";
    write_safetensors(path, std::vector<TensorSource>{
                                {.name = "experts.down_proj",
                                 .dtype = dtype,
                                 .shape = {slices, columns, rows},
                                 .fill = [&](std::uint64_t offset, std::span<std::byte> out) {
                                   std::memcpy(out.data(),
                                               std::as_bytes(std::span(stored)).data() + offset,
                                               out.size());
                                 }}});
    checkpoint_ = open_checkpoint(path);
    auto& tensor = checkpoint_.tensors.front();
    tensor.shape = {slices, rows, columns};
    tensor.is_transposed = true;
    reader_.emplace(checkpoint_);
  }

  static std::size_t index(std::int64_t number) { return checked_cast<std::size_t>(number); }
  static std::uint64_t bytes(std::int64_t elements) {
    return checked_cast<std::uint64_t>(elements) * sizeof(Number);
  }

  std::vector<Number> read(const std::vector<ByteRanges>& ranges, std::int64_t elements) const {
    std::vector<Number> values(index(elements));
    reader_->start(checkpoint_.tensors.front(), ranges, std::as_writable_bytes(std::span(values)))
        .finish();
    return values;
  }

  TemporaryDirectory directory_;
  Checkpoint checkpoint_{};
  std::vector<Number> logical_;
  std::optional<TensorReader> reader_;
};

using Elements = testing::Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>;
TYPED_TEST_SUITE(TransposedStack, Elements);

TYPED_TEST(TransposedStack, ReadsAsTheLogicalOrderFromAnyPlaceOn) {
  const std::int64_t all = slices * rows * columns;
  for (const std::int64_t first : {std::int64_t{0}, std::int64_t{1}, columns, columns * rows - 5,
                                   columns * rows, columns * rows + 3, all - 1}) {
    for (const std::int64_t count :
         {std::int64_t{1}, columns - 1, columns, 3 * columns + 2, columns * rows, all - first}) {
      if (count > all - first) continue;
      SCOPED_TRACE(testing::Message() << first << "+" << count);
      const auto values =
          this->read({{.offset = this->bytes(first), .bytes = this->bytes(count)}}, count);
      EXPECT_TRUE(std::equal(values.begin(), values.end(),
                             this->logical_.begin() + static_cast<std::ptrdiff_t>(first)));
    }
  }
}

TYPED_TEST(TransposedStack, ReadsColumnsOfRowsThatFollowEachOther) {
  for (const std::int64_t count : {std::int64_t{5}, rows}) {
    const std::int64_t row = rows - count, column = 11, width = 20;
    const auto values = this->read({{.offset = this->bytes((rows + row) * columns + column),
                                     .bytes = this->bytes(width),
                                     .count = checked_cast<std::uint64_t>(count),
                                     .stride = this->bytes(columns)}},
                                   count * width);
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t j = 0; j < width; ++j) {
        ASSERT_EQ(values[this->index(i * width + j)],
                  this->logical_[this->index((rows + row + i) * columns + column + j)])
            << i << ", " << j;
      }
    }
  }
}

TYPED_TEST(TransposedStack, ReadsEveryOtherRowAndRangesOfSeveralSlices) {
  const auto values =
      this->read({{.offset = this->bytes(columns),
                   .bytes = this->bytes(columns),
                   .count = 3,
                   .stride = this->bytes(2 * columns)},
                  {.offset = this->bytes((2 * rows + 1) * columns), .bytes = this->bytes(2)}},
                 3 * columns + 2);
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      ASSERT_EQ(values[this->index(i * columns + j)],
                this->logical_[this->index((2 * i + 1) * columns + j)]);
    }
  }
  EXPECT_EQ(values.back(), this->logical_[this->index((2 * rows + 1) * columns + 1)]);
}

}  // namespace
}  // namespace moesweep::checkpoint
