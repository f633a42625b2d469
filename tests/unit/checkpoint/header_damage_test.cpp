// A valid header, damaged at every byte: each variant is refused or says something consistent.

#include <gtest/gtest.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/checkpoint/header.hpp>

#include "safetensors_bytes.hpp"

namespace moesweep::checkpoint {
namespace {

using test::bytes_of;

constexpr std::string_view valid_json =
    R"({"__metadata__":{"format":"pt"},)"
    R"("layers.0.w":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},)"
    R"("layers.0.e":{"dtype":"F32","shape":[0,7],"data_offsets":[12,12]},)"
    R"("layers.1.w":{"dtype":"U8","shape":[4],"data_offsets":[12,16]}}  )";

std::string valid_file() {
  return test::header_of(valid_json) + std::string(16, 'x');
}

// True when the file is accepted, and then the tensors cover its data exactly.
bool accepted_consistently(const std::string& file) {
  std::vector<TensorEntry> entries;
  std::uint64_t covered = 0;
  try {
    covered =
        header_bytes(bytes_of(file).first(std::min<std::size_t>(8, file.size())), file.size(), "f");
    entries = parse_header(bytes_of(file), file.size(), "f");
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_EQ(error.where(), "f");
    return false;
  }
  for (const auto& entry : entries) {
    EXPECT_EQ(entry.byte_begin, covered);
    covered = entry.byte_end;
    auto bytes = checked_cast<std::uint64_t>(dtype_bytes(entry.dtype));
    for (const auto side : entry.shape) bytes *= checked_cast<std::uint64_t>(side);
    EXPECT_EQ(entry.byte_end - entry.byte_begin, bytes);
    EXPECT_FALSE(entry.name.empty());
  }
  EXPECT_EQ(covered, file.size());
  return true;
}

TEST(DamagedHeader, TheUndamagedFileIsAccepted) {
  EXPECT_TRUE(accepted_consistently(valid_file()));
}

TEST(DamagedHeader, EveryTruncationIsRefused) {
  const auto file = valid_file();
  for (std::size_t length = 0; length < file.size(); ++length) {
    EXPECT_FALSE(accepted_consistently(file.substr(0, length))) << length;
  }
}

TEST(DamagedHeader, EveryByteReplacedByEveryOtherIsRefusedOrConsistent) {
  const auto file = valid_file();
  const auto header = file.size() - 16;
  std::size_t refused = 0;
  for (std::size_t at = 0; at < header; ++at) {
    for (int value = 0; value < 256; ++value) {
      auto damaged = file;
      damaged[at] = static_cast<char>(value);
      if (!accepted_consistently(damaged)) ++refused;
    }
  }
  // Only letters of names and of the metadata, and white space, can change unnoticed.
  EXPECT_GT(refused, header * 256 * 3 / 4);
}

TEST(DamagedHeader, EveryByteRemovedOrDoubledIsRefusedOrConsistent) {
  for (std::size_t at = 0; at < valid_json.size(); ++at) {
    std::string removed(valid_json);
    removed.erase(at, 1);
    accepted_consistently(test::header_of(removed) + std::string(16, 'x'));
    std::string doubled(valid_json);
    doubled.insert(at, 1, valid_json[at]);
    accepted_consistently(test::header_of(doubled) + std::string(16, 'x'));
  }
}

}  // namespace
}  // namespace moesweep::checkpoint
