#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/quantize.hpp>
#include <moesweep/engine/store/output_file.hpp>

#include "support/temporary_directory.hpp"
#include "unit/store/unit_records.hpp"

namespace moesweep::store {
namespace {

using ::testing::HasSubstr;

Hash128 hash_of_text(const std::string& text) {
  return hash128(std::as_bytes(std::span(text)));
}

TEST(ArtifactName, CarriesTheHash) {
  const auto hash = hash_of_text("weights");
  const auto name = artifact_name("4bit-mlp-L1", hash, "safetensors");
  EXPECT_EQ(name, "4bit-mlp-L1-" + hash.hex() + ".safetensors");
  EXPECT_EQ(artifact_hash(name), hash);
}

TEST(ArtifactName, IsPlainWhateverItIsMadeOf) {
  const auto hash = hash_of_text("weights");
  for (const std::string stem : {"../../x", "a b", "\x1b[31m", ".hidden", "x\ny"}) {
    const auto name = artifact_name(stem, hash, "safetensors");
    EXPECT_EQ(artifact_hash(name), hash) << name;
    EXPECT_EQ(std::filesystem::path(name).filename(), name);
  }
}

TEST(ArtifactName, OfAnyOtherFormHasNoHash) {
  const auto hex = hash_of_text("weights").hex();
  const std::vector<std::string> names = {"",
                                          "x.safetensors",
                                          "../x-" + hex + ".safetensors",
                                          "a/x-" + hex + ".h5",
                                          "/x-" + hex + ".h5",
                                          ".x-" + hex + ".h5",
                                          "x" + hex + ".h5",
                                          "x-" + hex,
                                          "x-" + hex.substr(1) + ".h5",
                                          "x-" + hex + "0.h5",
                                          "x-G" + hex.substr(1) + ".h5",
                                          hex + ".h5",
                                          "-" + hex + ".h5"};
  for (const auto& name : names) {
    EXPECT_FALSE(artifact_hash(name)) << name;
  }
}

TEST(OutputFiles, AreThoseThatRowsOfAUnitName) {
  const auto hash = hash_of_text("weights");
  records::Tables rows;
  records::ArtifactRow artifact;
  artifact.file = artifact_name("heads", hash, "safetensors");
  artifact.bytes = 7;
  records::append_row(rows, artifact);
  records::append_row(rows, records::QuantizedShardRow{"model.safetensors", 9, hash.hex()});
  records::append_row(rows, test::distortion("t", 1.0));
  const auto files = output_files(rows, "segment");
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name, artifact.file);
  EXPECT_EQ(files[0].hash, hash);
  EXPECT_EQ(files[1].place, OutputFile::Place::checkpoint);
  EXPECT_EQ(files[1].bytes, 9);
}

TEST(OutputFiles, ThatLeadElsewhereAreRefused) {
  const auto hex = hash_of_text("weights").hex();
  for (const auto& [file, hash] : {std::pair<std::string, std::string>{"../model.safetensors", hex},
                                   {"/etc/passwd", hex},
                                   {"model.safetensors", "0123"},
                                   {"", hex}}) {
    records::Tables rows;
    records::append_row(rows, records::QuantizedShardRow{file, 9, hash});
    EXPECT_THAT([&] { output_files(rows, "the segment"); },
                ::testing::ThrowsMessage<Error>(HasSubstr("the segment")))
        << file;
  }
  records::Tables rows;
  records::ArtifactRow artifact;
  artifact.file = "../../x-" + hex + ".safetensors";
  records::append_row(rows, artifact);
  EXPECT_THROW(output_files(rows, "segment"), Error);
}

class Damage : public ::testing::Test {
 protected:
  Damage() { write("weights"); }
  void write(const std::string& text) {
    std::filesystem::remove_all(path_);
    test::write_bytes(path_, std::as_bytes(std::span(text)));
  }
  std::string of(Look look) const { return damage_of(file_, path_, look); }

  test::TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "file";
  OutputFile file_{OutputFile::Place::artifacts, "file", 7, hash_of_text("weights")};
};

TEST_F(Damage, OfASoundFileIsNone) {
  EXPECT_EQ(of(Look::size), "");
  EXPECT_EQ(of(Look::bytes), "");
}

TEST_F(Damage, OfAnotherSizeIsSeenWithoutReading) {
  write("weight");
  EXPECT_EQ(of(Look::size), "has 6 bytes, 7 were written");
  std::filesystem::remove(path_);
  EXPECT_EQ(of(Look::size), "is missing");
  std::filesystem::create_directory(path_);
  EXPECT_EQ(of(Look::size), "is not a regular file");
}

TEST_F(Damage, OfEqualSizeIsSeenByReading) {
  write("weighty");
  EXPECT_EQ(of(Look::size), "");
  EXPECT_EQ(of(Look::bytes), "does not match its hash");
}

}  // namespace
}  // namespace moesweep::store
