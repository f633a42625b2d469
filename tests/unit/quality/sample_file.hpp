#pragma once
// JSON Lines in a temporary file, and what one unit a block makes of them.

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/analysis/quality/samples.hpp>
#include <moesweep/core/base/error.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::quality::test {

class SampleFile {
 public:
  explicit SampleFile(std::string_view text) { std::ofstream(path()) << text; }
  std::filesystem::path path() const { return folder_.path() / "samples.jsonl"; }
  std::uint64_t bytes() const { return std::filesystem::file_size(path()); }

  /// Blocks of `width` bytes, joined.
  std::vector<records::SampleSumRow> joined(std::uint64_t width, double gate = 0.5) const {
    std::vector<records::SampleSumRow> rows;
    for (std::uint64_t begin = 0; begin < bytes(); begin += width) {
      const auto part = add_up(path(), {begin, std::min(begin + width, bytes())}, gate);
      rows.insert(rows.end(), part.begin(), part.end());
    }
    return join(std::move(rows));
  }
  std::vector<records::SampleSumRow> joined() const { return joined(bytes() + 1); }

  /// What is wrong with it, without the folder; "accepted" when nothing is.
  std::string complaint() const {
    try {
      joined();
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
      const std::string text = error.what();
      EXPECT_EQ(text.find('\n'), std::string::npos);
      const auto begin = text.find("samples.jsonl");
      return begin == std::string::npos ? text : text.substr(begin, text.find(';') - begin);
    }
    return "accepted";
  }

 private:
  moesweep::test::TemporaryDirectory folder_;
};

}  // namespace moesweep::quality::test
