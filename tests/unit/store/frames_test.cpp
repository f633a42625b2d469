// What a reader hands back is not believed: every byte of it may be another.

#include "frames.hpp"

#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/sensitivity.hpp>

#include "hidden_cache_frames.hpp"
#include "hidden_cache_states.hpp"
#include "plain_values.hpp"
#include "results_frames.hpp"
#include "unit/store/hidden_caches.hpp"
#include "unit/store/unit_records.hpp"

namespace moesweep::store {
namespace {

using Bytes = std::vector<std::byte>;

FrameWriter writer_into(Bytes& bytes) {
  return FrameWriter([&bytes](std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
  });
}

FrameReader reader_of(std::span<const std::byte> bytes) {
  return FrameReader([left = bytes](std::span<std::byte> out) mutable {
    const auto got = std::min(out.size(), left.size());
    if (got > 0) std::memcpy(out.data(), left.data(), got);
    left = left.subspan(got);
    return got;
  });
}

Bytes frames_of(const std::function<void(FrameWriter&)>& write) {
  Bytes bytes;
  auto frames = writer_into(bytes);
  write(frames);
  frames.end();
  return bytes;
}

Bytes results_frames() {
  records::Tables tables;
  for (int i = 0; i < 5; ++i) records::append_row(tables, test::distortion("tensor", i));
  const auto& [name, table] = *tables.begin();
  return frames_of([&](FrameWriter& frames) {
    ResultsWriter out(frames);
    out.attributes({{"run", "sound"}});
    out.begin_table(*table.info);
    for (const auto& column : table.columns) out.column(column);
    out.end();
  });
}

Bytes cache_frames() {
  CacheContents contents;
  contents.info = test::small_info();
  contents.shapes.layers["L2"].datasets["mean"] = {6, 4};
  contents.skills = test::small_extras().skills;
  contents.token_offsets = test::small_extras().token_offsets;
  return frames_of([&](FrameWriter& frames) { send_contents(contents, frames); });
}

Bytes state_frames() {
  return frames_of([](FrameWriter& frames) {
    PlainWriter(frames).number(4);
    const auto states = test::ramp(24);
    frames.write(std::as_bytes(std::span(states)));
  });
}

void receive_as(int kind, FrameReader& in) {
  if (kind == 0) receive_results(in, "file", 1 << 20);
  if (kind == 1) receive_contents(in, "file");
  if (kind == 2) receive_states(in, 24, [](std::span<const float>) {});
  in.finish();
}

/// Read, refused as nonsense, or an Error of the stream's own: nothing else.
bool is_read(int kind, std::span<const std::byte> bytes) {
  auto in = reader_of(bytes);
  try {
    receive_as(kind, in);
    return true;
  } catch (const BrokenStream&) {
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
  }
  return false;
}

class HandedBack : public ::testing::TestWithParam<int> {
 protected:
  Bytes whole() const {
    if (GetParam() == 0) return results_frames();
    return GetParam() == 1 ? cache_frames() : state_frames();
  }
};
INSTANTIATE_TEST_SUITE_P(ResultsCacheStates, HandedBack, ::testing::Values(0, 1, 2));

TEST_P(HandedBack, TheWholeIsRead) {
  EXPECT_TRUE(is_read(GetParam(), whole()));
}

TEST_P(HandedBack, CutOffAnywhereOrLengthenedItIsRefused) {
  const auto bytes = whole();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(is_read(GetParam(), std::span(bytes).first(size))) << size;
  }
}

TEST_P(HandedBack, AnyByteMayBeAnyOther) {
  std::mt19937_64 random(3);
  auto bytes = whole();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const auto to :
         {std::byte{0}, std::byte{0x7f}, std::byte{0xff}, static_cast<std::byte>(random())}) {
      const auto was = std::exchange(bytes[at], to);
      is_read(GetParam(), bytes);
      bytes[at] = was;
    }
  }
}

TEST(HandedBackResults, ColumnsOfUnequalLengthAreRefused) {
  const auto& info = records::table_info<records::DistortionRow>();
  records::Tables tables;
  records::append_row(tables, test::distortion("tensor", 1.0));
  auto table = tables.at(info.name);
  for (std::size_t i = 1; i < table.columns.size(); ++i) {
    auto unequal = table;
    std::visit([](auto& values) { values.clear(); }, unequal.columns[i]);
    const auto bytes = frames_of([&](FrameWriter& frames) {
      ResultsWriter out(frames);
      out.attributes({});
      out.begin_table(info);
      for (const auto& column : unequal.columns) out.column(column);
      out.end();
    });
    EXPECT_FALSE(is_read(0, bytes)) << info.columns[i].name;
  }
}

TEST(HandedBackResults, MoreThanTheLimitIsRefusedBeforeItIsAskedFor) {
  const auto bytes = frames_of([](FrameWriter& frames) {
    PlainWriter out(frames);
    out.number(std::int64_t{1} << 39);  // of attributes' names
  });
  auto in = reader_of(bytes);
  try {
    receive_results(in, "file", 1 << 20);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("more than 1.00 MiB"));
  }
}

TEST(Frames, AFailureMayOnlyBeOfTheFileOrTheSystem) {
  Bytes bytes;
  auto out = writer_into(bytes);
  out.fail(Error(ExitCode::complete, "file", "is fine"));
  auto in = reader_of(bytes);
  try {
    in.finish();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
  }
}

}  // namespace
}  // namespace moesweep::store
