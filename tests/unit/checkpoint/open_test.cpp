#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <moesweep/core/base/hash.hpp>
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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr const char* index_name = "model.safetensors.index.json";

std::string refused(const fs::path& path) {
  return test::refusal([&] { open_checkpoint(path); });
}

// Two shards and the index that lists them.
void write_indexed(const fs::path& directory, const std::string& weight_map) {
  write_text(directory / "1.safetensors", one_tensor_file("b", "bbb"));
  write_text(directory / "2.safetensors", one_tensor_file("a", "aa"));
  write_text(directory / index_name, R"({"weight_map":)" + weight_map + "}");
}

TEST(OpenCheckpoint, ReadsADirectoryWithAnIndex) {
  const TemporaryDirectory directory;
  write_indexed(directory.path(), R"({"a":"2.safetensors","b":"1.safetensors"})");
  write_text(directory.path() / "unlisted.safetensors", "not read");
  const auto checkpoint = open_checkpoint(directory.path());
  ASSERT_EQ(checkpoint.tensors.size(), 2);
  EXPECT_EQ(checkpoint.tensors[0].name, "a");
  EXPECT_EQ(checkpoint.shards[checkpoint.tensors[0].shard].name, "2.safetensors");
  EXPECT_EQ(checkpoint.tensors[1].name, "b");
  EXPECT_EQ(checkpoint.shards[checkpoint.tensors[1].shard].name, "1.safetensors");
  EXPECT_EQ(checkpoint.params(), 5);
  EXPECT_EQ(checkpoint.bytes(), 5);
}

TEST(OpenCheckpoint, ReadsEverySafetensorsFileWithoutAnIndex) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "z.safetensors", one_tensor_file("a", "aa"));
  write_text(directory.path() / "y.safetensors", one_tensor_file("b", "bbb"));
  write_text(directory.path() / "config.json", "{}");
  const auto checkpoint = open_checkpoint(directory.path());
  ASSERT_EQ(checkpoint.shards.size(), 2);
  EXPECT_EQ(checkpoint.shards[0].name, "y.safetensors");
  EXPECT_EQ(checkpoint.shards[1].name, "z.safetensors");
  EXPECT_EQ(checkpoint.tensors[0].name, "a");
  EXPECT_EQ(checkpoint.tensors[0].shard, 1);
}

TEST(OpenCheckpoint, ReadsOneFileAlsoThroughALink) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "real" / "m.safetensors";
  write_text(file, one_tensor_file("a", "aa"));
  fs::create_directory(directory.path() / "links");
  const auto link = directory.path() / "links" / "l.safetensors";
  fs::create_symlink(file, link);
  EXPECT_EQ(open_checkpoint(file).tensors.size(), 1);
  EXPECT_EQ(open_checkpoint(link).tensors.size(), 1);
  EXPECT_EQ(open_checkpoint(link).shards[0].name, "l.safetensors");
}

TEST(OpenCheckpoint, ShardsCarrySizeAndHeaderHash) {
  const TemporaryDirectory directory;
  const auto content = one_tensor_file("a", "aa");
  write_text(directory.path() / "m.safetensors", content);
  const auto shard = open_checkpoint(directory.path()).shards[0];
  EXPECT_EQ(shard.file_bytes, content.size());
  EXPECT_EQ(shard.header_hash,
            hash128(test::bytes_of(std::string_view(content).substr(0, content.size() - 2))));
}

TEST(OpenCheckpoint, NoSafetensorsAtAllIsRefused) {
  const TemporaryDirectory directory;
  EXPECT_THAT(refused(directory.path()), HasSubstr("has no .safetensors files"));
  EXPECT_THAT(refused(directory.path() / "absent"), HasSubstr("does not exist"));
  write_text(directory.path() / "e.safetensors", test::header_of("{}"));
  EXPECT_THAT(refused(directory.path()), HasSubstr("hold no tensors"));
}

TEST(OpenCheckpoint, AnIndexMeansItsFolder) {
  const TemporaryDirectory directory;
  write_indexed(directory.path(), R"({"a":"2.safetensors","b":"1.safetensors"})");
  const auto checkpoint = open_checkpoint(directory.path() / index_name);
  EXPECT_EQ(checkpoint.directory, directory.path());
  EXPECT_EQ(checkpoint.tensors.size(), 2);
  EXPECT_EQ(checkpoint_path(index_name), ".");
}

TEST(OpenCheckpoint, OtherJsonFilesAreRefusedWithTheirFolder) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "config.json", "{}");
  EXPECT_THAT(
      refused(directory.path() / "config.json"),
      HasSubstr("is not a checkpoint; give the directory it is in, " + directory.path().string()));
}

TEST(OpenCheckpoint, AnIndexThatIsAPointerOrAPageIsNamed) {
  const TemporaryDirectory directory;
  write_text(directory.path() / index_name, "version https://git-lfs.github.com/spec/v1\n");
  EXPECT_THAT(refused(directory.path()), AllOf(HasSubstr(index_name), HasSubstr("git lfs pull")));
  write_text(directory.path() / index_name, "<!DOCTYPE html>");
  EXPECT_THAT(refused(directory.path()), HasSubstr("is an HTML page"));
}

TEST(OpenCheckpoint, WeightsOfOtherFormatsAreNamed) {
  for (const auto& [file, what] : std::vector<std::pair<std::string, std::string>>{
           {"m.gguf", "GGUF files (m.gguf, ...)"},
           {"pytorch_model.bin", "PyTorch files (pytorch_model.bin, ...)"},
           {"model.npz", "NumPy files"}}) {
    const TemporaryDirectory directory;
    write_text(directory.path() / "config.json", "{}");
    write_text(directory.path() / file, "x");
    EXPECT_THAT(refused(directory.path()),
                AllOf(HasSubstr("has no .safetensors files but"), HasSubstr(what)));
  }
}

TEST(OpenCheckpoint, FoldersWithCheckpointsAreNamed) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "base" / "m.safetensors", one_tensor_file("a", "aa"));
  write_text(directory.path() / "chat" / "m.safetensors", one_tensor_file("a", "aa"));
  EXPECT_THAT(refused(directory.path()), HasSubstr("folders in it do (base, chat)"));
}

TEST(OpenCheckpoint, OneShardThatIsNamedSaysThatThereAreOthers) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "model-00002-of-00003.safetensors";
  write_text(file, one_tensor_file("a", "aa"));
  EXPECT_THAT(open_checkpoint(file).ignored,
              ElementsAre(AllOf(HasSubstr("2 other shards"), HasSubstr("00002-of-00003"))));
}

class GivenHuggingFaceCache : public testing::Test {
 protected:
  void add_snapshot(const std::string& commit) {
    const auto blob = model / "blobs" / ("of" + commit);
    write_text(blob, one_tensor_file(commit, "aa"));
    fs::create_directories(model / "snapshots" / commit);
    fs::create_symlink(fs::path("../../blobs") / blob.filename(),
                       model / "snapshots" / commit / "model.safetensors");
  }
  static std::string tensor_of(const fs::path& path) {
    return open_checkpoint(path).tensors.front().name;
  }

  const TemporaryDirectory home;
  const fs::path hub = home.path() / "hub";
  const fs::path model = hub / "models--org--name";
};

TEST_F(GivenHuggingFaceCache, OfAModelMeansTheSnapshotOfMain) {
  add_snapshot("1111");
  add_snapshot("2222");
  write_text(model / "refs" / "main", "1111\n");
  EXPECT_EQ(tensor_of(model), "1111");
  EXPECT_EQ(tensor_of(model / ""), "1111");
  EXPECT_EQ(tensor_of(model / "snapshots"), "1111");
  EXPECT_EQ(open_checkpoint(model).directory, model / "snapshots" / "1111");
  EXPECT_EQ(tensor_of(model / "snapshots" / "2222"), "2222");
  fs::create_directory_symlink(model, home.path() / "link");
  EXPECT_EQ(tensor_of(home.path() / "link"), "1111");
}

TEST_F(GivenHuggingFaceCache, OfAModelMeansItsOnlySnapshot) {
  add_snapshot("1111");
  EXPECT_EQ(tensor_of(model), "1111");
  write_text(model / "refs" / "main", "3333");
  EXPECT_EQ(tensor_of(model), "1111");
}

TEST_F(GivenHuggingFaceCache, WithSeveralSnapshotsAndNoMainAsksForOne) {
  add_snapshot("1111");
  add_snapshot("2222");
  EXPECT_THAT(refused(model), AllOf(HasSubstr("2 snapshots"), HasSubstr("1111, 2222")));
  write_text(model / "refs" / "main", "../../../elsewhere");
  EXPECT_THAT(refused(model), HasSubstr("refs/main names none of them"));
}

TEST_F(GivenHuggingFaceCache, WithoutASnapshotSaysSo) {
  fs::create_directories(model / "snapshots");
  fs::create_directories(model / "blobs");
  EXPECT_THAT(refused(model), HasSubstr("without a snapshot"));
}

TEST_F(GivenHuggingFaceCache, AsAWholeAsksForAModel) {
  add_snapshot("1111");
  EXPECT_THAT(refused(hub),
              AllOf(HasSubstr("is the whole Hugging Face cache"), HasSubstr("models--org--name")));
  EXPECT_THAT(refused(home.path()), HasSubstr("models--org--name"));
  write_text(hub / "m.safetensors", one_tensor_file("own", "aa"));
  EXPECT_EQ(tensor_of(hub), "own");
}

TEST(OpenCheckpoint, AMissingShardIsRefusedByName) {
  const TemporaryDirectory directory;
  write_indexed(directory.path(), R"({"a":"3.safetensors","b":"1.safetensors"})");
  EXPECT_THAT(refused(directory.path()), HasSubstr("3.safetensors: is missing"));
}

TEST(OpenCheckpoint, ShardNamesThatAreNotPlainAreRefused) {
  const TemporaryDirectory outer;
  const auto directory = outer.path() / "checkpoint";
  write_text(outer.path() / "2.safetensors", one_tensor_file("a", "aa"));
  const std::vector<std::string> names = {(directory / "2.safetensors").string(),
                                          "../2.safetensors",
                                          "x/../2.safetensors",
                                          "./2.safetensors",
                                          "..",
                                          ".",
                                          "",
                                          "sub/",
                                          "2.safetensors\\u0000",
                                          "2.safetensors\\u001b[2J"};
  for (const auto& name : names) {
    SCOPED_TRACE(name);
    write_indexed(directory, R"({"a":")" + name + R"(","b":"1.safetensors"})");
    EXPECT_THAT(refused(directory), HasSubstr("not a plain path inside the checkpoint"));
  }
}

TEST(OpenCheckpoint, AShardThatIsNotARegularFileIsRefusedWithoutWaiting) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory.path() / "f.safetensors").c_str(), 0600), 0);
  EXPECT_THAT(refused(directory.path()), HasSubstr("is not a regular file"));
  EXPECT_THAT(refused(directory.path() / "f.safetensors"), HasSubstr("is not a regular file"));
  write_indexed(directory.path(), R"({"a":"f.safetensors","b":"1.safetensors"})");
  EXPECT_THAT(refused(directory.path()), HasSubstr("f.safetensors: is not a regular file"));
}

TEST(OpenCheckpoint, AnIndexThatIsAFifoIsRefusedWithoutWaiting) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory.path() / index_name).c_str(), 0600), 0);
  EXPECT_THAT(refused(directory.path()), HasSubstr("is not a regular file"));
}

TEST(OpenCheckpoint, ATensorInTwoShardsIsRefusedNamingBoth) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "1.safetensors", one_tensor_file("a", "aa"));
  write_text(directory.path() / "2.safetensors", one_tensor_file("a", "aa"));
  const auto expected = HasSubstr("'a' is in two shards, 1.safetensors and 2.safetensors");
  EXPECT_THAT(refused(directory.path()), expected);
}

TEST(OpenCheckpoint, OfATensorInTwoIndexedShardsTheIndexSaysWhichCounts) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "1.safetensors", one_tensor_file("a", "aa"));
  write_text(directory.path() / "2.safetensors",
             test::header_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})") +
                 "ab");
  write_text(directory.path() / index_name,
             R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})");
  const auto checkpoint = open_checkpoint(directory.path());
  ASSERT_EQ(checkpoint.tensors.size(), 2);
  EXPECT_EQ(checkpoint.shards[checkpoint.tensors[0].shard].name, "1.safetensors");
  EXPECT_THAT(checkpoint.ignored, ElementsAre("tensor 'a' of 2.safetensors (not in the index)"));
}

TEST(OpenCheckpoint, WhatTheIndexDoesNotNameIsIgnoredAndListed) {
  const TemporaryDirectory directory;
  write_indexed(directory.path(), R"({"a":"2.safetensors","z":"3.safetensors"})");
  write_text(directory.path() / "3.safetensors",
             test::header_of(R"({"y":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("z":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})") +
                 "yz");
  const auto checkpoint = open_checkpoint(directory.path());
  ASSERT_EQ(checkpoint.tensors.size(), 2);
  EXPECT_EQ(checkpoint.tensors[1].name, "z");
  EXPECT_THAT(checkpoint.ignored, ElementsAre("tensor 'y' of 3.safetensors (not in the index)",
                                              "1.safetensors (not in the index)"));
}

TEST(OpenCheckpoint, WithoutAnIndexWhatIsNoModelIsIgnoredByName) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "model.safetensors", one_tensor_file("a", "aa"));
  for (const auto* name : {"adapter_model.safetensors", "optimizer.safetensors",
                           "consolidated.00.safetensors", "._model.safetensors"}) {
    write_text(directory.path() / name, "not read");
  }
  const auto checkpoint = open_checkpoint(directory.path());
  EXPECT_EQ(checkpoint.tensors.size(), 1);
  EXPECT_THAT(checkpoint.ignored, UnorderedElementsAre(StartsWith("adapter_model.safetensors ("),
                                                       StartsWith("optimizer.safetensors ("),
                                                       StartsWith("consolidated.00.safetensors ("),
                                                       StartsWith("._model.safetensors (")));
}

TEST(OpenCheckpoint, ConsolidatedFilesAloneAreTheModel) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "consolidated.safetensors", one_tensor_file("a", "aa"));
  EXPECT_EQ(open_checkpoint(directory.path()).tensors.size(), 1);
}

TEST(OpenCheckpoint, AnAdapterAloneIsRefusedAsSuch) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "adapter_model.safetensors", one_tensor_file("a", "aa"));
  EXPECT_THAT(refused(directory.path()), HasSubstr("adapter_model.safetensors (an adapter)"));
}

TEST(OpenCheckpoint, AShardThatFileNamesPromiseIsMissedWithoutAnIndex) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "model-00001-of-00004.safetensors", one_tensor_file("a", "aa"));
  write_text(directory.path() / "model-00003-of-00004.safetensors", one_tensor_file("b", "bb"));
  EXPECT_THAT(refused(directory.path()),
              AllOf(HasSubstr("model-00002-of-00004.safetensors: is missing, and 1 more shards"),
                    HasSubstr("checkpoint.allow_incomplete")));
  const auto checkpoint = open_checkpoint(directory.path(), {.allow_incomplete = true});
  EXPECT_EQ(checkpoint.tensors.size(), 2);
  EXPECT_THAT(checkpoint.missing,
              ElementsAre("model-00002-of-00004.safetensors", "model-00004-of-00004.safetensors"));
}

TEST(OpenCheckpoint, AllThatFileNamesPromiseIsWholeCountedFromOneOrZero) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "model-00001-of-00001.safetensors", one_tensor_file("a", "aa"));
  write_text(directory.path() / "mtp-00000-of-00002.safetensors", one_tensor_file("b", "bb"));
  write_text(directory.path() / "mtp-00001-of-00002.safetensors", one_tensor_file("c", "cc"));
  EXPECT_EQ(open_checkpoint(directory.path()).tensors.size(), 3);
}

TEST(OpenCheckpoint, MissingShardsOfAnIndexAreListedWhenTheyMay) {
  const TemporaryDirectory directory;
  write_indexed(directory.path(), R"({"a":"3.safetensors","b":"1.safetensors"})");
  const auto checkpoint = open_checkpoint(directory.path(), {.allow_incomplete = true});
  EXPECT_EQ(checkpoint.tensors.size(), 1);
  EXPECT_THAT(checkpoint.missing, ElementsAre("3.safetensors"));
}

TEST(OpenCheckpoint, WhatTheIndexNamesMustBeInItsShard) {
  const TemporaryDirectory directory;
  write_indexed(directory.path(),
                R"({"a":"2.safetensors","b":"1.safetensors","c":"1.safetensors"})");
  EXPECT_THAT(refused(directory.path()), HasSubstr("tensor 'c' is not in its shard 1.safetensors"));
  write_indexed(directory.path(), R"({"a":"2.safetensors","aa":"1.safetensors"})");
  EXPECT_THAT(refused(directory.path()), HasSubstr("'aa' is not in its shard"));
  write_indexed(directory.path(), R"({"a":"1.safetensors","b":"2.safetensors"})");
  EXPECT_THAT(refused(directory.path()), HasSubstr("tensor 'a' is not in its shard 1.safetensors"));
}

TEST(OpenCheckpoint, ATruncatedShardIsRefusedNamingItAndTheRemedy) {
  const TemporaryDirectory directory;
  write_indexed(directory.path(), R"({"a":"2.safetensors","b":"1.safetensors"})");
  const auto shard = directory.path() / "1.safetensors";
  fs::resize_file(shard, fs::file_size(shard) - 1);
  EXPECT_THAT(refused(directory.path()),
              AllOf(HasSubstr("1.safetensors: tensor 'b'"), HasSubstr("download it again")));
  for (const std::uintmax_t length : {30U, 8U, 3U, 0U}) {
    SCOPED_TRACE(length);
    fs::resize_file(shard, length);
    EXPECT_THAT(refused(directory.path()),
                AllOf(HasSubstr("1.safetensors: "), HasSubstr("download it again")));
  }
}

TEST(OpenCheckpoint, ShardsMayLieInFoldersOfTheCheckpoint) {
  const TemporaryDirectory directory;
  write_indexed(directory.path(), R"({"a":"sub/3.safetensors","b":"1.safetensors"})");
  write_text(directory.path() / "sub" / "3.safetensors", one_tensor_file("a", "aa"));
  EXPECT_EQ(open_checkpoint(directory.path()).tensors.size(), 2);
}

// repository/{blobs/<hash>, snapshots/<revision>/<links>}, as huggingface_hub lays it out.
class HuggingFaceCache : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(snapshot_);
    add("1.safetensors", "hash1", one_tensor_file("b", "bbb"));
    add("2.safetensors", "hash2", one_tensor_file("a", "aa"));
    add(index_name, "hash3", R"({"weight_map":{"a":"2.safetensors","b":"1.safetensors"}})");
  }
  void add(const std::string& name, const std::string& hash, const std::string& content) {
    write_text(repository_ / "blobs" / hash, content);
    link(name, "../../blobs/" + hash);
  }
  void link(const std::string& name, const std::string& target) {
    fs::remove(snapshot_ / name);
    fs::create_symlink(target, snapshot_ / name);
  }

  TemporaryDirectory directory_;
  fs::path repository_ = directory_.path() / "models--org--name";
  fs::path snapshot_ = repository_ / "snapshots" / "0123abcd";
};

TEST_F(HuggingFaceCache, ASnapshotMayLinkIntoItsBlobs) {
  EXPECT_EQ(open_checkpoint(snapshot_).tensors.size(), 2);
  fs::remove(snapshot_ / index_name);
  EXPECT_EQ(open_checkpoint(snapshot_).tensors.size(), 2);
}

TEST_F(HuggingFaceCache, ASnapshotIsFoundThroughALinkToIt) {
  fs::create_directory_symlink(snapshot_, directory_.path() / "model");
  EXPECT_EQ(open_checkpoint(directory_.path() / "model").tensors.size(), 2);
}

// People move blobs to other disks, and keep shared copies: what weights are read from is up to
// whoever names the folder.
TEST_F(HuggingFaceCache, ShardsMayLinkToAnywhere) {
  write_text(directory_.path() / "other" / "hash2", one_tensor_file("a", "aa"));
  link("2.safetensors", "../../../other/hash2");
  EXPECT_EQ(open_checkpoint(snapshot_).tensors.size(), 2);
  link("2.safetensors", (directory_.path() / "other" / "hash2").string());
  EXPECT_EQ(open_checkpoint(snapshot_).tensors.size(), 2);
}

TEST_F(HuggingFaceCache, AnIndexThatLinksOutIsRefused) {
  write_text(directory_.path() / "index", "{}");
  link(index_name, "../../../index");
  EXPECT_THAT(refused(snapshot_), HasSubstr("leads out of the checkpoint"));
}

TEST_F(HuggingFaceCache, ABlobThatWasNeverDownloadedIsMissing) {
  fs::remove(repository_ / "blobs" / "hash2");
  EXPECT_THAT(refused(snapshot_), HasSubstr("2.safetensors: is missing"));
  fs::remove(repository_ / "blobs" / "hash3");
  EXPECT_THAT(refused(snapshot_), HasSubstr("index.json: is missing"));
}

TEST_F(HuggingFaceCache, ALinkThatTurnsInCirclesIsRefused) {
  link("2.safetensors", "2.safetensors");
  EXPECT_THAT(refused(snapshot_), HasSubstr("2.safetensors: cannot be followed"));
}

TEST(OpenCheckpoint, AFolderOfLinksToASharedCopyIsRead) {
  const TemporaryDirectory directory;
  const auto shared = directory.path() / "shared";
  const auto mine = directory.path() / "mine";
  write_text(shared / "model-00001-of-00002.safetensors", one_tensor_file("a", "aa"));
  write_text(shared / "model-00002-of-00002.safetensors", one_tensor_file("b", "bbb"));
  fs::create_directory(mine);
  for (const auto& entry : fs::directory_iterator(shared)) {
    fs::create_symlink(entry.path(), mine / entry.path().filename());
  }
  const auto checkpoint = open_checkpoint(mine);
  EXPECT_EQ(checkpoint.tensors.size(), 2);
  EXPECT_EQ(checkpoint.shards[0].name, "model-00001-of-00002.safetensors");
  fs::remove(shared / "model-00002-of-00002.safetensors");
  EXPECT_THAT(refused(mine), HasSubstr("model-00002-of-00002.safetensors: is missing"));
}

TEST(OpenCheckpoint, AnIndexThatLinksOutIsRefusedWithARemedy) {
  const TemporaryDirectory directory;
  const auto mine = directory.path() / "mine";
  write_indexed(mine, R"({"a":"2.safetensors","b":"1.safetensors"})");
  fs::rename(mine / index_name, directory.path() / "index.json");
  fs::create_symlink("../index.json", mine / index_name);
  EXPECT_THAT(refused(mine), AllOf(HasSubstr("index.json: leads out of the checkpoint"),
                                   HasSubstr("put a copy of it in its place")));
}

TEST(OpenCheckpoint, LinksWithinTheDirectoryAreFollowed) {
  const TemporaryDirectory directory;
  write_text(directory.path() / "files" / "x", one_tensor_file("a", "aa"));
  fs::create_symlink("files/x", directory.path() / "m.safetensors");
  EXPECT_EQ(open_checkpoint(directory.path()).tensors.size(), 1);
}

TEST(HeadersHash, IsOfNamesDtypesAndShapesAlone) {
  const Checkpoint one{
      .directory = "a", .shards = {}, .tensors = {{"w", Dtype::bf16, {2, 3}, 0, 8, 20}}};
  auto other = one;
  other.directory = "b";
  other.tensors[0].byte_begin = 16;
  EXPECT_EQ(headers_hash(one), headers_hash(other));
  other.tensors[0].shape = {3, 2};
  EXPECT_NE(headers_hash(one), headers_hash(other));
  other = one;
  other.tensors[0].dtype = Dtype::f16;
  EXPECT_NE(headers_hash(one), headers_hash(other));
  other = one;
  other.tensors[0].name = "v";
  EXPECT_NE(headers_hash(one), headers_hash(other));
}

}  // namespace
}  // namespace moesweep::checkpoint
