// Caches that are wrong. Each is one line that names the file and what in it.

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>

#include "support/temporary_directory.hpp"
#include "unit/store/hidden_caches.hpp"

// HDF5 1.10 loses memory of its own, which it recycles from other files, when it gives up on
// damaged metadata. Asked for by the leak sanitizer; nobody calls it elsewhere.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5";
}

namespace moesweep::store {
namespace {

using records::HiddenCacheInfo;
using ::testing::HasSubstr;

std::string problem_of(const std::function<void()>& attempt) {
  try {
    attempt();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "nothing was refused";
}

class RefusedCache : public ::testing::Test {
 protected:
  RefusedCache() { write_sound(); }
  void write_sound() {
    write_hidden_cache(path_, test::small_info(), test::small_states(), test::small_extras());
  }

  // Datasets as someone else's program writes them: `values` in place of what was there.
  void replace(const std::string& name, hid_t type, const std::vector<hsize_t>& dims,
               const void* values, hid_t properties = H5P_DEFAULT) {
    const hid_t file = H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    ASSERT_GE(file, 0);
    if (H5Lexists(file, name.c_str(), H5P_DEFAULT) > 0) {
      ASSERT_GE(H5Ldelete(file, name.c_str(), H5P_DEFAULT), 0);
    }
    const hid_t space = H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
    const hid_t dataset =
        H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    ASSERT_GE(dataset, 0);
    if (values != nullptr) {
      ASSERT_GE(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    }
    H5Dclose(dataset);
    H5Sclose(space);
    H5Fclose(file);
  }
  void replace(const std::string& name, const std::vector<int>& values) {
    replace(name, H5T_NATIVE_INT, {values.size()}, values.data());
  }
  void remove(const std::string& name) {
    const hid_t file = H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    ASSERT_GE(H5Ldelete(file, name.c_str(), H5P_DEFAULT), 0);
    H5Fclose(file);
  }

  std::string refusal() const {
    const auto problem = problem_of([&] {
      const HiddenCache cache(path_);
      cache.pooled("L2", "mean");
    });
    EXPECT_THAT(problem, HasSubstr(path_.string()));
    return problem;
  }
  std::string refusal_of(const std::function<void(HiddenCacheInfo&)>& change) const {
    auto info = test::small_info();
    change(info);
    return problem_of(
        [&] { write_hidden_cache(path_, info, test::small_states(), test::small_extras()); });
  }

  test::TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "4bit.h5";
};

TEST_F(RefusedCache, LabelWithoutAName) {
  replace("labels", {0, 1, 3, 0, 1, 2});
  EXPECT_THAT(refusal(), HasSubstr("/labels: label 3 of sample 2 (\"c\") has no name"));
  replace("labels", {0, 1, -1, 0, 1, 2});
  EXPECT_THAT(refusal(), HasSubstr("label -1"));
  replace("labels", {0, 1, 256, 0, 1, 2});
  EXPECT_THAT(refusal(), HasSubstr("holds 256"));
}

TEST_F(RefusedCache, UnknownOrEmptySplits) {
  replace("split", {0, 0, 0, 1, 2, 3});
  EXPECT_THAT(refusal(), HasSubstr("/split: split 3"));
  replace("split", {0, 0, 0, 1, 1, 1});
  EXPECT_THAT(refusal(), HasSubstr("no sample is in the test split"));
  replace("split", {2, 2, 2, 1, 2, 2});
  EXPECT_THAT(refusal(), HasSubstr("no sample is in the train split"));
}

TEST_F(RefusedCache, OverlappingSplits) {
  EXPECT_THAT(refusal_of([](auto& info) { info.sample_id[4] = "a"; }),
              HasSubstr("of the test split is also in the train split: splits overlap"));
  EXPECT_THAT(refusal_of([](auto& info) { info.sample_id[1] = "a"; }),
              HasSubstr("has the id of sample 0"));
  EXPECT_THAT(refusal_of([](auto& info) { info.sample_id[1] = ""; }), HasSubstr("has no id"));
  EXPECT_THAT(refusal_of([](auto& info) { info.cluster[5] = "k"; }),
              HasSubstr("cluster \"k\" is in two splits"));
}

TEST_F(RefusedCache, SpansOutsideTheirSample) {
  EXPECT_THAT(refusal_of([](auto& info) { info.span_tokens[3] = 6; }),
              HasSubstr("span 1 of sample 0 (\"a\") is [2, 6), the sample has 5 tokens"));
  EXPECT_THAT(refusal_of([](auto& info) { info.span_tokens[0] = 3; }), HasSubstr("[3, 2)"));
  EXPECT_THAT(refusal_of([](auto& info) { info.span_tokens[0] = -1; }), HasSubstr("[-1, 2)"));
  EXPECT_THAT(refusal_of([](auto& info) { info.span_tokens[2] = 1; }), HasSubstr("share token 1"));
  EXPECT_THAT(refusal_of([](auto& info) { info.n_tokens[2] = 0; }), HasSubstr("0 tokens"));
  EXPECT_THAT(refusal_of([](auto& info) { info.cited[3] = 2; }), HasSubstr("/cited: span 1"));
}

TEST_F(RefusedCache, ShapesThatDisagree) {
  const auto values = test::ramp(100);
  replace("L2/mean", H5T_NATIVE_FLOAT, {5, 4}, values.data());
  EXPECT_THAT(refusal(), HasSubstr("/L2/mean: has shape [5, 4], [6, 4] was expected"));
  replace("L2/mean", H5T_NATIVE_FLOAT, {24}, values.data());
  EXPECT_THAT(refusal(), HasSubstr("[24]"));
  replace("L2/mean", H5T_NATIVE_FLOAT, {6, 5}, values.data());
  EXPECT_THAT(refusal(), HasSubstr("[6, 5]"));
  write_sound();
  replace("split", {0, 0, 2});
  EXPECT_THAT(refusal(), HasSubstr("/split: has shape [3], [6] was expected"));
  write_sound();
  replace("offsets", {0, 5, 12});
  EXPECT_THAT(refusal(), HasSubstr("gives sample 1 (\"b\") 7 tokens, n_tokens is 6"));
  replace("offsets", {0, 5, 3});
  EXPECT_THAT(refusal(), HasSubstr("does not grow"));
}

TEST_F(RefusedCache, MissingParts) {
  for (const auto* name : {"labels", "split", "sample_id", "cited", "span_tokens", "n_tokens"}) {
    write_sound();
    remove(name);
    EXPECT_THAT(refusal(), HasSubstr(name));
  }
  write_sound();
  remove("L10");
  EXPECT_THAT(refusal(), HasSubstr("/L10: is in layer_names, not in the file"));
  write_sound();
  const auto values = test::ramp(24);
  const hid_t file = H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Gclose(H5Gcreate2(file, "L3", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Fclose(file);
  replace("L3/mean", H5T_NATIVE_FLOAT, {6, 4}, values.data());
  EXPECT_THAT(refusal(), HasSubstr("/L3: is not in layer_names"));
}

TEST_F(RefusedCache, StatesThatAreNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    auto values = test::ramp(24);
    values[9] = bad;
    replace("L2/mean", H5T_NATIVE_FLOAT, {6, 4}, values.data());
    EXPECT_THAT(refusal(), HasSubstr("at sample 2, value 1"));
  }
  auto states = test::small_states();
  states[0] = test::whole("L2/mean", std::vector<float>(24, std::nanf("")));
  EXPECT_THAT(problem_of([&] {
                write_hidden_cache(path_, test::small_info(), states, test::small_extras());
              }),
              HasSubstr("/L2/mean: holds nan at sample 0, value 0"));
}

TEST_F(RefusedCache, TypesThatAreNotStates) {
  const std::vector<int> integers(24, 1);
  replace("L2/mean", H5T_NATIVE_INT, {6, 4}, integers.data());
  EXPECT_THAT(refusal(), HasSubstr("does not hold float16, float32 or float64"));
  write_sound();
  replace("sample_id", {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(refusal(), HasSubstr("does not hold text"));
  write_sound();
  const auto values = test::ramp(6);
  replace("labels", H5T_NATIVE_FLOAT, {6}, values.data());
  EXPECT_THAT(refusal(), HasSubstr("does not hold integers"));
}

TEST_F(RefusedCache, SizesThatTheFileCannotHold) {
  replace("L2/mean", H5T_NATIVE_FLOAT, {hsize_t{1} << 40, 4}, nullptr);
  EXPECT_THAT(refusal(), HasSubstr("declares more rows than the file holds"));
  write_sound();
  replace("labels", H5T_NATIVE_INT, {hsize_t{1} << 60}, nullptr);
  EXPECT_THAT(refusal(), HasSubstr("declares more rows than the file holds"));
}

TEST_F(RefusedCache, NamesThatHdf5WouldReadAsOthers) {
  for (const std::string name : {"./labels", "../mean", "L1/.", "/mean", "L1/", "mean", "L1/a/b",
                                 "labels/mean", "spans/mean", "offsets/states"}) {
    const std::vector<CacheStates> states = {test::whole(name, test::ramp(24))};
    const auto write = [&] { write_hidden_cache(path_, test::small_info(), states); };
    EXPECT_THAT(problem_of(write), HasSubstr(":/" + name + ": "));
  }
  EXPECT_THAT(problem_with_dataset_name("L1/a\nb"), HasSubstr("not printable"));
  EXPECT_EQ(problem_with_dataset_name("L1/mean"), "");
  EXPECT_EQ(problem_with_dataset_name("skills/tone"), "");
  for (const std::string skill : {"", ".", "..", "a/b"}) {
    const CacheExtras extras{{}, {{skill, {0, 1, 0, 1, -1, 1}}}};
    const auto write = [&] {
      write_hidden_cache(path_, test::small_info(), test::small_states(), extras);
    };
    EXPECT_THAT(problem_of(write), HasSubstr("skills/" + skill + ": "));
  }
}

TEST_F(RefusedCache, TokensHereAndBeside) {
  std::filesystem::copy_file(path_, folder_.path() / "4bit_tokens.h5");
  EXPECT_THAT(problem_of([&] { HiddenCache{path_}; }), HasSubstr("remove one of them"));
}

TEST_F(RefusedCache, TruncatedOrForeignFiles) {
  const auto sound = read_file(path_);
  for (const auto bytes :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, sound.size() / 2, sound.size() - 1}) {
    publish_file(path_, std::span(sound).first(bytes));
    EXPECT_THAT(refusal(), HasSubstr("is not a readable HDF5 file"));
  }
  std::filesystem::remove(path_);
  EXPECT_THAT(refusal(), HasSubstr("cannot open"));
  std::filesystem::create_directory(path_);
  EXPECT_THAT(refusal(), HasSubstr("is not a regular file"));
}

TEST_F(RefusedCache, DamagedBytesAreReadOrRefused) {
  const auto sound = read_file(path_);
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {  // each is a process; tests/fuzz tries more
    auto bytes = sound;
    for (int change = 0; change < 3; ++change) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    try {
      const HiddenCache cache(path_);
      for (const auto& layer : cache.info().layers) {
        for (const auto& pooling : cache.poolings(layer)) cache.pooled(layer, pooling);
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 10);
}

TEST(SameSamples, FirstDifferenceIsNamed) {
  const auto first = test::small_info();
  const auto problem = [&](const std::function<void(HiddenCacheInfo&)>& change) {
    auto other = first;
    other.variant = "2bit";
    change(other);
    const auto text = problem_of([&] {
      require_same_samples(std::vector<const HiddenCacheInfo*>{&first, &first, &other});
    });
    EXPECT_THAT(text, HasSubstr("2bit.h5: holds other samples than 4bit.h5"));
    return text;
  };
  EXPECT_THAT(problem([](auto& o) { std::swap(o.sample_id[2], o.sample_id[3]); }),
              HasSubstr("id of sample 2 (\"c\") is d, not c"));
  EXPECT_THAT(problem([](auto& o) { o.label[1] = 2; }),
              HasSubstr("label of sample 1 (\"b\") is 2, not 1"));
  EXPECT_THAT(problem([](auto& o) { o.split[3] = 2; }), HasSubstr("split of sample 3"));
  EXPECT_THAT(problem([](auto& o) { o.cited[5] = 0; }), HasSubstr("citation of sample 2"));
  EXPECT_THAT(problem([](auto& o) { o.span_tokens[9] = 1; }), HasSubstr("span of sample 2"));
  EXPECT_THAT(problem([](auto& o) { o.samples = 5; }), HasSubstr("5 samples, not 6"));
  EXPECT_THAT(problem([](auto& o) { o.cluster.clear(); }), HasSubstr("no cluster"));
  EXPECT_THAT(problem([](auto& o) { o.label_names[0] = "YES"; }), HasSubstr("YES,REVISE,VETO"));
}

TEST(SameSamples, OtherSizesOfTheModelAreNoDifference) {
  const auto first = test::small_info();
  auto other = first;
  other.bits = 2;
  other.hidden_dim = 8;
  other.layers = {"L1"};
  EXPECT_NO_THROW(require_same_samples(std::vector<const HiddenCacheInfo*>{&first, &other}));
  EXPECT_NO_THROW(require_same_samples({}));
}

}  // namespace
}  // namespace moesweep::store
