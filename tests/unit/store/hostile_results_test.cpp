// Results files that someone else made, with a checksum that fits: each must be an Error that names
// the file, whatever it makes HDF5 do. What accidents do is in results_test.cpp.

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/sanitizers.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/engine/store/results.hpp>

#include "checksum_block.hpp"
#include "support/temporary_directory.hpp"
#include "unit/store/unit_records.hpp"

namespace moesweep::store {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr auto table = "sensitivity/distortion";
constexpr auto number_column = "sensitivity/distortion/sse";
constexpr auto integer_column = "sensitivity/distortion/bits";
constexpr auto text_column = "sensitivity/distortion/tensor";
constexpr hsize_t rows = 3;

class HostileResults : public ::testing::Test {
 protected:
  HostileResults() { write_good(path_); }

  static void write_good(const std::filesystem::path& path) {
    records::Tables tables;
    for (hsize_t i = 0; i < rows; ++i) {
      records::append_row(tables, test::distortion("tensor", static_cast<double>(i)));
    }
    write_results(path, tables, {});
  }

  void modify(const std::function<void(hid_t file)>& change) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, oldest_format_, H5F_LIBVER_LATEST);
    const hid_t file = H5Fopen(path_.c_str(), H5F_ACC_RDWR, access);
    ASSERT_GE(file, 0);
    change(file);
    ASSERT_GE(H5Fclose(file), 0);
    H5Pclose(access);
    seal();
  }

  /// Writes the checksum that the bytes behind it have now.
  void seal() {
    const auto bytes = read_file(path_);
    const auto contents = std::span(bytes).subspan(checksum_block_bytes);
    const auto block = checksum_block(contents);
    std::vector<std::byte> sealed;
    std::ranges::copy(std::as_bytes(std::span(block)), std::back_inserter(sealed));
    sealed.insert(sealed.end(), contents.begin(), contents.end());
    test::write_bytes(path_, sealed);
  }

  void replace(const char* column, hid_t type, std::vector<hsize_t> dims,
               hid_t properties = H5P_DEFAULT) {
    modify([&](hid_t file) {
      ASSERT_GE(H5Ldelete(file, column, H5P_DEFAULT), 0);
      const hid_t space =
          dims.empty() ? H5Screate(H5S_SCALAR)
                       : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
      const hid_t dataset =
          H5Dcreate2(file, column, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
      ASSERT_GE(dataset, 0);
      H5Dclose(dataset);
      H5Sclose(space);
    });
  }

  std::string refusal() {
    try {
      read_results(path_);
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
      EXPECT_THAT(error.what(), HasSubstr(path_.string()));
      return error.what();
    }
    return "it was read";
  }

  test::TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "results.h5";
  H5F_libver_t oldest_format_ = H5F_LIBVER_EARLIEST;
};

TEST_F(HostileResults, TheUnchangedFileIsRead) {
  EXPECT_EQ(records::rows_of<records::DistortionRow>(read_results(path_).tables).size(), rows);
}

TEST_F(HostileResults, ColumnsStoredInAnotherFileAreRefused) {
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(properties, "/etc/passwd", 0, rows * sizeof(double));
  replace(number_column, H5T_IEEE_F64LE, {rows}, properties);
  H5Pclose(properties);
  EXPECT_THAT(refusal(), HasSubstr("another file"));
}

TEST_F(HostileResults, VirtualColumnsAreRefused) {
  const auto other = folder_.path() / "other.h5";
  write_good(other);
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  const hid_t space = H5Screate_simple(1, &rows, nullptr);
  oldest_format_ = H5F_LIBVER_LATEST;  // older formats know no virtual datasets
  H5Pset_virtual(properties, space, other.c_str(), number_column, space);
  replace(number_column, H5T_IEEE_F64LE, {rows}, properties);
  H5Sclose(space);
  H5Pclose(properties);
  EXPECT_THAT(refusal(), HasSubstr("virtual"));
}

TEST_F(HostileResults, LinksOutOfTheFileOrAroundInItAreRefused) {
  const auto other = folder_.path() / "other.h5";
  write_good(other);
  for (const char* place : {"sensitivity", table, number_column}) {
    write_good(path_);
    modify([&](hid_t file) {
      H5Ldelete(file, place, H5P_DEFAULT);
      ASSERT_GE(H5Lcreate_external(other.c_str(), place, file, place, H5P_DEFAULT, H5P_DEFAULT), 0);
    });
    EXPECT_THAT(refusal(), HasSubstr("link")) << place;
    write_good(path_);
    modify([&](hid_t file) {
      ASSERT_GE(H5Lmove(file, place, file, "moved", H5P_DEFAULT, H5P_DEFAULT), 0);
      ASSERT_GE(H5Lcreate_soft("/moved", file, place, H5P_DEFAULT, H5P_DEFAULT), 0);
    });
    EXPECT_THAT(refusal(), HasSubstr("link")) << place;
  }
}

TEST_F(HostileResults, HugeSizesWithoutDataAreRefused) {
  constexpr hsize_t huge = hsize_t{1} << 45;
  replace(number_column, H5T_IEEE_F64LE, {huge});
  EXPECT_THAT(refusal(), HasSubstr("more rows"));

  write_good(path_);
  const hid_t chunked = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunk = 1 << 20;
  H5Pset_chunk(chunked, 1, &chunk);
  H5Pset_deflate(chunked, 9);
  replace(number_column, H5T_IEEE_F64LE, {huge}, chunked);
  H5Pclose(chunked);
  EXPECT_THAT(refusal(), HasSubstr("more rows"));

  write_good(path_);
  const hid_t long_text = H5Tcopy(H5T_C_S1);
  H5Tset_size(long_text, std::size_t{1} << 31);
  replace(text_column, long_text, {rows});
  H5Tclose(long_text);
  EXPECT_THAT(refusal(), HasSubstr("more rows"));
}

TEST_F(HostileResults, SizesPatchedBeyondTheFileAreRefused) {
  // A contiguous column of 12,347 values whose dimension and byte count are then overwritten in the
  // file: the format has no checksum that would tell.
  constexpr std::uint64_t honest_rows = 12'347;
  constexpr std::uint64_t claimed_rows = std::uint64_t{1} << 40;
  const std::vector<double> values(honest_rows, 1.0);
  modify([&](hid_t file) {
    H5Ldelete(file, number_column, H5P_DEFAULT);
    const hsize_t dims = honest_rows;
    const hid_t space = H5Screate_simple(1, &dims, nullptr);
    const hid_t dataset = H5Dcreate2(file, number_column, H5T_IEEE_F64LE, space, H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(dataset);
    H5Sclose(space);
  });
  auto bytes = read_file(path_);
  const auto patch = [&](std::uint64_t from, std::uint64_t to) {
    int patched = 0;
    for (std::size_t at = 0; at + sizeof from <= bytes.size(); ++at) {
      std::uint64_t word = 0;
      std::memcpy(&word, &bytes[at], sizeof word);
      if (word != from) continue;
      std::memcpy(&bytes[at], &to, sizeof to);
      ++patched;
    }
    return patched;
  };
  ASSERT_GT(patch(honest_rows, claimed_rows), 0);
  ASSERT_GT(patch(honest_rows * sizeof(double), claimed_rows * sizeof(double)), 0);
  test::write_bytes(path_, bytes);
  seal();
  EXPECT_THAT(refusal(), HasSubstr("more rows"));
}

// HDF5 1.10.8 divides by the side of a chunk when a dataset is opened.
TEST_F(HostileResults, AFileThatHdf5CrashesOnIsRefused) {
  auto bytes = read_file(path_);
  // A layout message: version 3, chunked, two sides (rows, and the 8 bytes of an element) behind
  // the address.
  constexpr std::array begin = {std::byte{3}, std::byte{2}, std::byte{2}};
  constexpr std::uint64_t sides = rows | std::uint64_t{8} << 32;
  constexpr std::size_t sides_at = begin.size() + 8;
  int patched = 0;
  for (std::size_t at = 0; at + sides_at + sizeof sides <= bytes.size(); ++at) {
    std::uint64_t here = 0;
    std::memcpy(&here, &bytes[at + sides_at], sizeof here);
    if (here != sides || !std::equal(begin.begin(), begin.end(), &bytes[at])) continue;
    std::memset(&bytes[at + sides_at], 0, 4);
    ++patched;
  }
  ASSERT_GT(patched, 0);
  test::write_bytes(path_, bytes);
  seal();
  // Later versions refuse it on their own.
  EXPECT_THAT(refusal(), AnyOf(HasSubstr("the HDF5 library crashed on it"), HasSubstr("failed")));
}

TEST_F(HostileResults, TablesThatUnpackToMoreThanTheLimitAreRefused) {
  if (is_sanitized) GTEST_SKIP() << "sanitizers reserve the address space";
  // 1.1 GiB of one text, in a file of a few megabytes.
  constexpr hsize_t many = 9 << 16;
  constexpr hsize_t chunk = 1 << 10;
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, 2048);
  modify([&](hid_t file) {
    H5Ldelete(file, text_column, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(1, &many, nullptr);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 1, &chunk);
    H5Pset_deflate(properties, 1);
    const hid_t dataset =
        H5Dcreate2(file, text_column, text, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    const std::vector<char> values(chunk * 2048, 'x');
    const hid_t in_memory = H5Screate_simple(1, &chunk, nullptr);
    for (hsize_t first = 0; first < many; first += chunk) {
      H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, nullptr, &chunk, nullptr);
      ASSERT_GE(H5Dwrite(dataset, text, in_memory, space, H5P_DEFAULT, values.data()), 0);
    }
    H5Sclose(in_memory);
    H5Dclose(dataset);
    H5Pclose(properties);
    H5Sclose(space);
  });
  H5Tclose(text);
  EXPECT_THAT(refusal(), AnyOf(HasSubstr("takes more than"), HasSubstr("holds more than")));
}

TEST_F(HostileResults, WrongTypesAreRefused) {
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, 8);
  const hid_t variable = H5Tcopy(H5T_C_S1);
  H5Tset_size(variable, H5T_VARIABLE);
  const hid_t list = H5Tvlen_create(H5T_NATIVE_DOUBLE);
  const hid_t pair = H5Tcreate(H5T_COMPOUND, 8);
  H5Tinsert(pair, "low", 0, H5T_STD_I32LE);
  H5Tinsert(pair, "high", 4, H5T_STD_I32LE);
  const std::vector<std::pair<const char*, hid_t>> wrong = {
      {number_column, text},           {number_column, variable},
      {number_column, list},           {number_column, pair},
      {number_column, H5T_STD_I64LE},  {number_column, H5T_IEEE_F32LE},
      {number_column, H5T_IEEE_F64BE}, {integer_column, H5T_STD_I64LE},
      {integer_column, H5T_STD_U32LE}, {integer_column, H5T_IEEE_F64LE},
      {text_column, H5T_STD_I64LE},    {text_column, variable},
      {text_column, H5T_STD_REF_OBJ}};
  for (const auto& [column, type] : wrong) {
    write_good(path_);
    const hid_t early = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_alloc_time(early, H5D_ALLOC_TIME_EARLY);
    replace(column, type, {rows}, early);
    H5Pclose(early);
    EXPECT_THAT(refusal(), HasSubstr("another type")) << column;
  }
  for (const auto type : {text, variable, list, pair}) H5Tclose(type);
}

TEST_F(HostileResults, WrongShapesAreRefused) {
  const hid_t early = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_alloc_time(early, H5D_ALLOC_TIME_EARLY);
  replace(number_column, H5T_IEEE_F64LE, {rows, 1}, early);
  EXPECT_THAT(refusal(), HasSubstr("one-dimensional"));
  write_good(path_);
  replace(number_column, H5T_IEEE_F64LE, {}, early);
  EXPECT_THAT(refusal(), HasSubstr("one-dimensional"));
  write_good(path_);
  replace(number_column, H5T_IEEE_F64LE, {rows + 1}, early);
  EXPECT_THAT(refusal(), HasSubstr("differ in length"));
  H5Pclose(early);
}

TEST_F(HostileResults, FiltersThatWeDoNotWriteAreRefused) {
  for (const auto add_filter : {H5Pset_nbit, H5Pset_fletcher32}) {
    write_good(path_);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 1, &rows);
    add_filter(properties);
    H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
    replace(number_column, H5T_IEEE_F64LE, {rows}, properties);
    H5Pclose(properties);
    EXPECT_THAT(refusal(), HasSubstr("filter"));
  }
}

TEST_F(HostileResults, MissingColumnsAndGroupsThatAreDatasetsAreRefused) {
  modify([](hid_t file) { H5Ldelete(file, number_column, H5P_DEFAULT); });
  EXPECT_THAT(refusal(), HasSubstr("missing"));
  write_good(path_);
  replace(table, H5T_IEEE_F64LE, {rows});
  EXPECT_NE(refusal(), "it was read");
  write_good(path_);
  modify([](hid_t file) {
    H5Ldelete(file, number_column, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, number_column, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  });
  EXPECT_NE(refusal(), "it was read");
}

TEST_F(HostileResults, AttributesOfOtherShapesAndTypesAreLeftOut) {
  modify([](hid_t file) {
    const hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 64);
    const hsize_t many = 500;
    const hid_t space = H5Screate_simple(1, &many, nullptr);
    const std::vector<char> values(64 * many, 'x');
    const hid_t list = H5Acreate2(file, "list", text, space, H5P_DEFAULT, H5P_DEFAULT);
    ASSERT_GE(H5Awrite(list, text, values.data()), 0);
    H5Aclose(list);
    const hid_t number =
        H5Acreate2(file, "number", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Aclose(number);
    H5Sclose(space);
    H5Tclose(text);
  });
  const auto attributes = read_results(path_).attributes;
  EXPECT_EQ(attributes.size(), 1U);
  EXPECT_TRUE(attributes.contains("schema_version"));
}

TEST_F(HostileResults, OtherSchemaVersionsAndNoneAreRefused) {
  modify([](hid_t file) { H5Adelete(file, "schema_version"); });
  EXPECT_THAT(refusal(), HasSubstr("schema version"));
  write_results(path_, {}, {});
  auto bytes = read_file(path_);
  const std::string name = "schema_version";
  modify([](hid_t file) {
    const hid_t attribute = H5Aopen(file, "schema_version", H5P_DEFAULT);
    const hid_t type = H5Aget_type(attribute);
    H5Awrite(attribute, type, "9");
    H5Tclose(type);
    H5Aclose(attribute);
  });
  EXPECT_THAT(refusal(), HasSubstr("\"9\""));
}

TEST_F(HostileResults, FilesThatAreNotHdf5AreRefused) {
  const auto whole = read_file(path_);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    test::write_bytes(path_, std::span(whole).first(size));
    EXPECT_NE(refusal(), "it was read") << size << " of " << whole.size() << " bytes";
  }
  test::write_bytes(path_, std::vector<std::byte>(5000, std::byte{'x'}));
  EXPECT_NE(refusal(), "it was read");
  seal();
  EXPECT_THAT(refusal(), HasSubstr("not a readable HDF5 file"));
  std::filesystem::remove(path_);
  EXPECT_NE(refusal(), "it was read");
  std::filesystem::create_directory(path_);
  EXPECT_NE(refusal(), "it was read");
}

}  // namespace
}  // namespace moesweep::store
