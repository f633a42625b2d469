// One test a kind of mistake, with the exact line that the user sees.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/temporary_directory.hpp>

#include <moesweep/core/base/file.hpp>
#include <moesweep/engine/capacity/cluster.hpp>

#include "job_text.hpp"

namespace moesweep::jobs {
namespace {

using test::complaint;
using test::complaint_about;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::StartsWith;

std::string complaint_about_whole(std::string_view toml) {
  return complaint([&] { parse_job(toml, "dir/job.toml"); });
}

TEST(JobMistake, UnknownKeyNamesTheNearestOfItsTable) {
  EXPECT_EQ(complaint_about("[sensitivity]\n\nbist = [2]\n"),
            "78 job.toml:8: unknown key \"sensitivity.bist\"; did you mean \"sensitivity.bits\"?");
}

TEST(JobMistake, KeyInTheWrongTableNamesItsPlace) {
  EXPECT_EQ(complaint_about("memory = \"1GiB\"\n"),
            "78 job.toml:6: unknown key \"checkpoint.memory\"; did you mean \"resources.memory\"?");
  EXPECT_EQ(complaint_about_whole("schema = 1\nkind = \"sensitivity\"\nbits = [2]\n"),
            "78 dir/job.toml:3: unknown key \"bits\"; did you mean \"sensitivity.bits\"?");
}

TEST(JobMistake, UnknownTableNamesTheNearest) {
  EXPECT_EQ(complaint_about("[sensitvity]\nbits = [2]\n"),
            "78 job.toml:6: unknown key \"sensitvity\"; did you mean \"sensitivity\"?");
  EXPECT_EQ(complaint_about("[sensitivity.weight]\nsvd = 1\n"),
            "78 job.toml:6: unknown key \"sensitivity.weight\"; did you mean "
            "\"sensitivity.weights\"?");
  EXPECT_EQ(complaint_about("[output.weights]\n"),
            "78 job.toml:6: unknown key \"output.weights\"; did you mean \"sensitivity.weights\"?");
  EXPECT_EQ(complaint_about("[foobarbazqux]\nmemory = 1\n"),
            "78 job.toml:6: unknown key \"foobarbazqux\"; valid at the top: schema, name, kind, "
            "checkpoint, sensitivity, resources, output");
}

TEST(JobMistake, UnknownKeyLikeNoneListsTheValidOnes) {
  EXPECT_EQ(complaint_about("[sensitivity.weights]\nfoobarbazqux = 1\n"),
            "78 job.toml:7: unknown key \"sensitivity.weights.foobarbazqux\"; valid in "
            "[sensitivity.weights]: svd, kurtosis, noise, error");
  EXPECT_EQ(complaint_about("[[foobarbazqux]]\n[[foobarbazqux]]\n"),
            "78 job.toml:6: unknown key \"foobarbazqux\"; valid at the top: schema, name, kind, "
            "checkpoint, sensitivity, resources, output");
}

TEST(JobMistake, QuotedDottedKeyIsNotThePath) {
  EXPECT_EQ(
      complaint_about_whole("schema = 1\nkind = \"sensitivity\"\n\"sensitivity.bits\" = [2]\n"),
      "78 dir/job.toml:3: unknown key \"\"sensitivity.bits\"\"; did you mean "
      "\"sensitivity.bits\"?");
}

TEST(JobMistake, ValueWhereATableBelongs) {
  EXPECT_EQ(complaint_about("[sensitivity]\nweights = 3\n"),
            "78 job.toml:7: sensitivity.weights must be a table; write [sensitivity.weights] on a "
            "line of its own and its keys below");
  EXPECT_EQ(complaint_about("[[resources]]\nmemory = 1\n"),
            "78 job.toml:6: resources must be a table; write [resources] on a line of its own and "
            "its keys below");
}

TEST(JobMistake, WrongTypesSayBoth) {
  const auto in_sensitivity = [](std::string_view line) {
    return complaint_about("[sensitivity]\n" + std::string(line) + "\n");
  };
  EXPECT_EQ(in_sensitivity("bits = 3"),
            "78 job.toml:7: sensitivity.bits must be a list of integers, not the integer 3; for "
            "example bits = [2, 3, 4, 5, 6, 8]");
  EXPECT_EQ(in_sensitivity("bits = { a = 1 }"),
            "78 job.toml:7: sensitivity.bits must be a list of integers, not a table; for example "
            "bits = [2, 3, 4, 5, 6, 8]");
  EXPECT_EQ(
      in_sensitivity("group_sizes = 1979-05-27"),
      "78 job.toml:7: sensitivity.group_sizes must be a list of integers, not a date or time; "
      "for example group_sizes = [32, 64, 128]");
  EXPECT_EQ(in_sensitivity("sensitive = true"),
            "78 job.toml:7: sensitivity.sensitive must be a list of texts, not true; for example "
            "sensitive = []");
  EXPECT_EQ(in_sensitivity("weights.svd = \"0.2\""),
            "78 job.toml:7: sensitivity.weights.svd must be a number, not the text \"0.2\"; for "
            "example svd = 0.2");
  EXPECT_EQ(in_sensitivity("experts = 4.5"),
            "78 job.toml:7: sensitivity.experts must be text, not the number 4.5; for example "
            "experts = \"all\"");
  EXPECT_EQ(in_sensitivity("[[sensitivity.bits]]\nx = 1"),
            "78 job.toml:7: sensitivity.bits must be a list of integers, not an array of tables; "
            "for example bits = [2, 3, 4, 5, 6, 8]");
  EXPECT_EQ(complaint_about("[resources]\nthreads = 2.0\n"),
            "78 job.toml:7: resources.threads must be an integer, not the number 2; for example "
            "threads = 0");
  EXPECT_EQ(
      complaint_about("[resources]\nmemory = 1.5\n"),
      "78 job.toml:7: resources.memory must be a size, not the number 1.5; for example memory "
      "= 0");
}

TEST(JobMistake, WrongElementIsNamedOnItsLine) {
  EXPECT_EQ(complaint_about("[sensitivity]\nbits = [2,\n  \"4\"]\n"),
            "78 job.toml:7: sensitivity.bits[1] must be an integer, not the text \"4\"");
  EXPECT_EQ(complaint_about("[sensitivity]\nprotected = [\"a\", [\"b\"]]\n"),
            "78 job.toml:7: sensitivity.protected[1] must be text, not a list");
}

TEST(JobMistake, SevenBitsAreRefused) {
  EXPECT_EQ(complaint_about("[sensitivity]\nbits = [2, 7]\n"),
            "78 job.toml:7: sensitivity.bits[1] must be one of 2, 3, 4, 5, 6, 8, not 7");
}

TEST(JobMistake, OutOfRange) {
  EXPECT_EQ(complaint_about("[sensitivity]\nbits = [1]\n"),
            "78 job.toml:7: sensitivity.bits[0] must be between 2 and 8, not 1");
  EXPECT_EQ(complaint_about("[sensitivity]\ngroup_sizes = [48]\n"),
            "78 job.toml:7: sensitivity.group_sizes[0] must be one of 32, 64, 128, not 48");
  EXPECT_EQ(complaint_about("[sensitivity.weights]\nsvd = 1.5\n"),
            "78 job.toml:7: sensitivity.weights.svd must be between 0 and 1, not 1.5");
  EXPECT_EQ(complaint_about("[output]\nflush_seconds = 0\n"),
            "78 job.toml:7: output.flush_seconds must be at least 0.01, not 0");
  EXPECT_EQ(complaint_about("[resources]\nunit_bytes = 0\n"),
            "78 job.toml:7: resources.unit_bytes must be at least 1, not 0");
  EXPECT_EQ(complaint_about("[resources]\nmemory = -1\n"),
            "78 job.toml:7: resources.memory must not be negative, is -1");
}

TEST(JobMistake, NotANumberAndInfinityAreRefused) {
  EXPECT_EQ(complaint_about("[output]\nflush_seconds = nan\n"),
            "78 job.toml:7: output.flush_seconds must be finite, not nan");
  EXPECT_EQ(complaint_about("[output]\nflush_seconds = inf\n"),
            "78 job.toml:7: output.flush_seconds must be finite, not inf");
}

TEST(JobMistake, MalformedSize) {
  EXPECT_EQ(complaint_about("[resources]\nmemory = \"1.5GiB\"\n"),
            "78 job.toml:7: resources.memory is not a size: \"1.5GiB\"; write bytes or a text such "
            "as \"256MiB\" (B KiB MiB GiB TiB KB MB GB TB)");
}

TEST(JobMistake, ChoiceOutsideTheTableNamesTheNearest) {
  EXPECT_EQ(complaint_about("nonfinite = \"fial\"\n"),
            "78 job.toml:6: checkpoint.nonfinite must be one of fail, skip, not \"fial\"; did you "
            "mean \"fail\"?");
  EXPECT_EQ(complaint_about("[sensitivity]\nmetrics = [\"spectra\"]\n"),
            "78 job.toml:7: sensitivity.metrics[0] must be one of moments, noise, error, spectrum, "
            "not \"spectra\"; did you mean \"spectrum\"?");
  EXPECT_EQ(complaint_about("[sensitivity]\nexperts = \"four\"\n"),
            "78 job.toml:7: sensitivity.experts must be one of all, swan, not \"four\"");
}

TEST(JobMistake, EmptyAndRepeatingLists) {
  EXPECT_EQ(complaint_about("[sensitivity]\nmetrics = []\n"),
            "78 job.toml:7: sensitivity.metrics must not be empty; for example metrics = "
            "[\"moments\", \"noise\", \"error\", \"spectrum\"]");
  EXPECT_EQ(complaint_about("include = []\n"),
            "78 job.toml:6: checkpoint.include must not be empty; for example include = [\"*\"]");
  EXPECT_EQ(complaint_about("[sensitivity]\nbits = [2, 4, 2]\n"),
            "78 job.toml:7: sensitivity.bits holds 2 twice");
  EXPECT_EQ(complaint_about("[sensitivity]\ngroup_sizes = [32, 32]\n"),
            "78 job.toml:7: sensitivity.group_sizes holds 32 twice");
  EXPECT_EQ(complaint_about("[sensitivity]\nquantizers = [\"rtn\", \"rtn\"]\n"),
            "78 job.toml:7: sensitivity.quantizers holds rtn twice");
  EXPECT_EQ(complaint_about("[sensitivity]\nmetrics = [\"noise\", \"noise\"]\n"),
            "78 job.toml:7: sensitivity.metrics holds noise twice");
}

TEST(JobMistake, EmptyPatternWouldMatchEveryTensor) {
  EXPECT_EQ(complaint_about("[sensitivity]\nprotected = [\"a\", \"\"]\n"),
            "78 job.toml:7: sensitivity.protected[1] must not be empty");
}

TEST(JobMistake, NameHoldsOnlyWhatSlurmTakes) {
  EXPECT_EQ(complaint_about_whole("schema = 1\nname = \"my sweep\"\nkind = \"sensitivity\"\n"),
            "78 dir/job.toml:2: name may hold only characters of [A-Za-z0-9._-], is \"my sweep\"");
}

TEST(JobMistake, ThresholdsOutOfOrder) {
  EXPECT_EQ(complaint_about("[sensitivity.thresholds]\nbits8 = 0.05\n"),
            "78 job.toml:7: sensitivity.thresholds must be ordered bits2 <= bits8 <= bits16, are "
            "0.1, 0.05 and 0.9");
}

TEST(JobMistake, WeightsThatAreAllZero) {
  EXPECT_EQ(
      complaint_about("[sensitivity]\nweights = { svd = 0, kurtosis = 0, noise = 0, error = 0 "
                      "}\n"),
      "78 job.toml:7: sensitivity.weights are all 0; every composite would be 0 and every "
      "tensor get 2 bits; raise one");
}

TEST(JobMistake, MisspeltKindIsNotCalledMissing) {
  EXPECT_EQ(complaint_about_whole("schema = 1\nknd = \"sensitivity\"\n"),
            "78 dir/job.toml:2: unknown key \"knd\"; did you mean \"kind\"?");
}

TEST(JobMistake, MissingRequiredKeys) {
  EXPECT_THAT(complaint_about_whole(""),
              StartsWith("78 dir/job.toml: kind is missing; What is measured: the weights' "
                         "sensitivity to quantization;"));
  EXPECT_EQ(complaint_about_whole("kind = \"sensitivity\"\ncheckpoint.path = \"x\"\n"),
            "78 dir/job.toml: schema is missing; Version of the job file format, 1.");
  EXPECT_EQ(
      complaint_about_whole("schema = 1\nkind = \"sensitivity\"\n"),
      "78 dir/job.toml:2: neither checkpoint.path nor checkpoint.twin.inventory is given; name "
      "a safetensors checkpoint, or the inventory of one whose twin is swept");
}

TEST(JobMistake, TwoCheckpointsOrHalfATwin) {
  EXPECT_EQ(
      complaint_about("twin = { inventory = \"i.csv\" }\n"),
      "78 job.toml:6: checkpoint.path and checkpoint.twin.inventory are both given; a sweep has "
      "one checkpoint, keep one of them");
  EXPECT_EQ(
      complaint_about("twin.scale = 2\n"),
      "78 job.toml:6: checkpoint.twin.scale is given without checkpoint.twin.inventory; remove "
      "the key");
  EXPECT_EQ(complaint_about("twin.scale = 0\n"),
            "78 job.toml:6: checkpoint.twin.scale must be between 1 and 1048576, not 0");
  EXPECT_EQ(complaint_about("twin.seed = -1\n"),
            "78 job.toml:6: checkpoint.twin.seed must be at least 0, not -1");
}

TEST(JobMistake, AnotherSchemaIsSaidBeforeItsUnknownKeys) {
  EXPECT_EQ(complaint_about_whole("new_key = 1\nschema = 2\n"),
            "78 dir/job.toml:2: schema 2 is not known, this moesweep reads schema 1; use the "
            "version of moesweep that the file was written for");
  EXPECT_EQ(complaint_about_whole("schema = \"1\"\nkind = \"sensitivity\"\n"),
            "78 dir/job.toml:1: schema must be an integer, not the text \"1\"");
}

TEST(JobMistake, UnknownKind) {
  EXPECT_THAT(complaint_about_whole("schema = 1\nkind = \"sensitivty\"\n"),
              AllOf(StartsWith("78 dir/job.toml:2: kind must be one of sensitivity, heads, "),
                    EndsWith(", not \"sensitivty\"; did you mean \"sensitivity\"?")));
}

TEST(JobMistake, FirstMistakeOfTheFileIsTheOneSaid) {
  EXPECT_EQ(complaint_about("zzz = 1\n[sensitivity]\naaa = 1\n").substr(0, 14), "78 job.toml:6:");
}

TEST(JobMistake, SyntaxErrorsCarryTheirLine) {
  EXPECT_EQ(
      complaint_about("nonfinite = \n"),
      "78 job.toml:6: not valid TOML: Error while parsing key-value pair: expected value, saw "
      "'\\n'");
  EXPECT_EQ(complaint_about("path = \"again\"\n"),
            "78 job.toml:6: not valid TOML: Error while parsing key-value pair: cannot redefine "
            "existing string 'path'");
}

TEST(JobMistake, UnreadableFilesAreJobErrors) {
  const test::TemporaryDirectory directory;
  EXPECT_EQ(complaint([&] { load_job(directory.path() / "none.toml"); }),
            "78 " + (directory.path() / "none.toml").string() +
                ": cannot open: No such file or directory");
  EXPECT_EQ(complaint([&] { capacity::load_cluster(directory.path()); }),
            "78 " + directory.path().string() + ": is not a regular file");
}

TEST(JobMistake, FileOfAMebibyteAndMoreIsNotRead) {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "big.toml";
  publish_file(path, test::minimal_job + std::string(1 << 20, '\n'));
  EXPECT_EQ(complaint([&] { load_job(path); }),
            "78 " + path.string() + ": is larger than 1 MiB; give a TOML file, not data");
}

}  // namespace
}  // namespace moesweep::jobs
