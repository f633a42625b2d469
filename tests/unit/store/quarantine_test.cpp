#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/engine/store/quarantine.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::store {
namespace {

TEST(Quarantine, KeepsTheFileUnderItsNameBesideWhereItWas) {
  const test::TemporaryDirectory folder;
  const auto file = folder.path() / "damaged";
  publish_file(file, std::string_view("bytes"));
  const auto place = quarantine(file);
  EXPECT_EQ(place, folder.path() / "quarantine" / "damaged");
  EXPECT_EQ(read_text_file(place), "bytes");
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Quarantine, ThatCannotBeMadeIsAnErrorThatNamesTheFile) {
  const test::TemporaryDirectory folder;
  publish_file(folder.path() / "quarantine", std::string_view("a file"));
  const auto file = folder.path() / "damaged";
  publish_file(file, std::string_view("bytes"));
  try {
    quarantine(file);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::io_error);
    EXPECT_EQ(error.where(), file.string());
  }
}

}  // namespace
}  // namespace moesweep::store
