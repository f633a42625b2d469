#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/app/tables/heads.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/engine/store/output_file.hpp>
#include <moesweep/model/checkpoint/write.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::tables {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  if (!fs::exists(folder)) return entries;
  for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  return entries;
}

class ExportHeads : public ::testing::Test {
 protected:
  ExportHeads() { fs::create_directory(artifacts_); }

  /// An artifact with these tensors of two numbers each, and its row.
  records::ArtifactRow add(const std::vector<std::string>& tensors,
                           const std::string& variant = "4bit", Dtype dtype = Dtype::f32) {
    std::vector<checkpoint::TensorSource> sources;
    for (const auto& name : tensors) {
      const auto fill = [](std::uint64_t, std::span<std::byte> out) {
        std::fill(out.begin(), out.end(), std::byte{0x3f});
      };
      sources.push_back({name, dtype, {2}, fill});
    }
    const auto bytes = checkpoint::encode_safetensors(sources);
    records::ArtifactRow row;
    row.variant = variant;
    row.head = "mlp";
    row.layer = "L1";
    row.pooling = "mean";
    row.file = store::artifact_name("heads", hash128(bytes), "safetensors");
    publish_file(artifacts_ / row.file, bytes);
    return row;
  }

  std::vector<fs::path> run(const std::vector<records::ArtifactRow>& rows) {
    return export_heads(artifacts_, rows, out_, false);
  }

  std::string refusal(const std::vector<records::ArtifactRow>& rows) {
    try {
      run(rows);
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
      EXPECT_THAT(entries_of(out_), ::testing::IsEmpty());
      return error.what();
    }
    return "it was exported";
  }

  test::TemporaryDirectory folder_;
  fs::path artifacts_ = folder_.path() / "artifacts";
  fs::path out_ = folder_.path() / "out";
};

const std::vector<std::string> one_head = {"standardize.mean", "standardize.sd",
                                           "seed7/fc1.weight"};

TEST_F(ExportHeads, OneArchiveASeed) {
  auto tensors = one_head;
  tensors.emplace_back("seed8/fc1.weight");
  const auto written = run({add(tensors)});
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].filename(), "4bit-mlp-L1-mean-seed7.npz");
  EXPECT_EQ(written[1].filename(), "4bit-mlp-L1-mean-seed8.npz");
}

TEST_F(ExportHeads, ADamagedArtifactIsNamedAndNothingIsWritten) {
  const auto sound = add(one_head, "bf16");
  auto tensors = one_head;
  tensors.back() = "seed9/fc1.weight";
  const auto damaged = add(tensors);
  const auto whole = read_file(artifacts_ / damaged.file);
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    auto bytes = whole;
    bytes[at] ^= std::byte{0x40};
    publish_file(artifacts_ / damaged.file, bytes);
    const auto text = refusal({sound, damaged});
    EXPECT_THAT(text, HasSubstr(damaged.file + ": does not match its hash"));
    EXPECT_THAT(text, HasSubstr("moesweep run"));
  }
  fs::remove(artifacts_ / damaged.file);
  EXPECT_THAT(refusal({sound, damaged}), HasSubstr(damaged.file + ": is missing"));
}

TEST_F(ExportHeads, AnArtifactOutsideOfTheFolderIsRefused) {
  auto row = add(one_head);
  fs::rename(artifacts_ / row.file, folder_.path() / row.file);
  for (const auto& file : {"../" + row.file, (folder_.path() / row.file).string()}) {
    row.file = file;
    EXPECT_THAT(refusal({row}), HasSubstr("is not the name of an artifact"));
  }
}

TEST_F(ExportHeads, TensorsThatAreOfNoSeedAreRefusedByName) {
  for (const std::string name :
       {"seedx/fc", "seed99999999999999999999/fc", "seed-1/fc", "seed/fc", "seed1", "other",
        "seed0/../../../evil", "seed0/", "seed0/.hidden"}) {
    EXPECT_THAT(refusal({add({name})}), HasSubstr('"' + name + '"')) << name;
  }
  EXPECT_THAT(refusal({add(one_head, "4bit", Dtype::i32)}), HasSubstr("which is not F32"));
}

TEST_F(ExportHeads, NamesOfVariantsNeverLeaveTheFolder) {
  const auto written = run({add(one_head, "../../x"), add(one_head, "\x1b]0;x\x07")});
  ASSERT_EQ(written.size(), 2U);
  for (const auto& path : written) {
    EXPECT_EQ(path.parent_path(), out_);
    EXPECT_EQ(path.string().find('\x1b'), std::string::npos);
    EXPECT_TRUE(fs::exists(path));
  }
}

TEST_F(ExportHeads, VariantsThatDifferInCharactersOfNoFileNameStayApart) {
  auto tensors = one_head;
  tensors.back() = "seed7/fc2.weight";
  const auto written = run({add(one_head, "a/b"), add(tensors, "a:b"), add(one_head, "c")});
  ASSERT_EQ(written.size(), 3U);
  EXPECT_THAT(written[0].filename().string(),
              ::testing::MatchesRegex("a_b-mlp-L1-mean-[0-9a-f]+-seed7.npz"));
  EXPECT_NE(written[0], written[1]);
  EXPECT_EQ(written[2].filename(), "c-mlp-L1-mean-seed7.npz");
}

TEST_F(ExportHeads, ANameThatIsNoArtifactsIsNamedByFileTableAndRow) {
  auto row = add(one_head);
  const auto sound = row;
  row.file = "../../x.safetensors";
  EXPECT_THAT(refusal({sound, row}), HasSubstr("results.h5: heads/artifacts, row 2: \"../../x"));
}

}  // namespace
}  // namespace moesweep::tables
