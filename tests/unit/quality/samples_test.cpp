#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "published_study.hpp"
#include "sample_file.hpp"

namespace moesweep::quality::test {
namespace {

using testing::HasSubstr;

std::string line(const std::string& rest) {
  return R"({"model": "m", "level": "q4", "task": "t", "metric": "a", )" + rest + "}\n";
}

std::string numbered_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += fmt::format(
        R"({{"model": "m{}", "level": "q{}", "metric": "a", "score": {}, "tokens": {}, "coherence": {}}})"
        "\n",
        i % 2, i % 3, 0.1 * (i % 7), i, i % 10 / 10.0);
  }
  return text;
}

TEST(Samples, AreAddedUpByGroup) {
  const SampleFile file(line(R"("score": 1, "tokens": 7, "coherence": 0.9)") +
                        line(R"("score": 0, "tokens": 3, "coherence": 0.2)") +
                        line(R"("score": 1, "coherence": 0.4)"));
  const auto rows = describe(file.joined());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].samples, 3);
  EXPECT_DOUBLE_EQ(rows[0].mean, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(rows[0].sd, std::sqrt(1.0 / 3.0));
  EXPECT_EQ(rows[0].minimum, 0.0);
  EXPECT_EQ(rows[0].maximum, 1.0);
  EXPECT_EQ(rows[0].tokens, 10);
  EXPECT_EQ(rows[0].rated, 3);
  EXPECT_DOUBLE_EQ(rows[0].coherence, 0.5);
}

TEST(Samples, ResultsDoNotDependOnWhereTheFileIsCut) {
  const SampleFile file(numbered_lines(200));
  const auto whole = file.joined();
  ASSERT_EQ(whole.size(), 6U);
  for (const std::uint64_t width : {1U, 7U, 64U, 97U, 1000U}) {
    SCOPED_TRACE(width);
    const auto cut = file.joined(width);
    ASSERT_EQ(cut.size(), whole.size());
    for (std::size_t i = 0; i < cut.size(); ++i) {
      EXPECT_EQ(cut[i].samples, whole[i].samples);
      EXPECT_EQ(cut[i].sum_high + cut[i].sum_low, whole[i].sum_high + whole[i].sum_low);
      EXPECT_EQ(cut[i].squares_high + cut[i].squares_low,
                whole[i].squares_high + whole[i].squares_low);
      EXPECT_EQ(cut[i].filtered, whole[i].filtered);
      EXPECT_EQ(cut[i].tokens, whole[i].tokens);
    }
  }
}

TEST(Samples, LinesLongerThanTheBufferAreRead) {
  const std::string filler(3 << 20, 'x');
  const SampleFile file(line("\"score\": 1, \"answer\": \"" + filler + "\"") +
                        line("\"score\": 0") +
                        line("\"answer\": \"" + filler + "\", \"score\": 1"));
  for (const std::uint64_t width : {std::uint64_t{1} << 20, file.bytes()}) {
    const auto rows = file.joined(width);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].samples, 3);
    EXPECT_EQ(rows[0].sum_high, 2.0);
  }
}

TEST(Samples, ALineBeyond16MiBIsRefused) {
  const SampleFile file(line("\"score\": 1") +
                        line("\"score\": 1, \"answer\": \"" + std::string(18 << 20, 'x') + "\""));
  EXPECT_EQ(file.complaint(), "samples.jsonl:2: is a line of more than 16 MiB");
}

TEST(Samples, TheLastLineNeedsNoEnd) {
  auto text = line("\"score\": 1") + line("\"score\": 0");
  text.pop_back();
  EXPECT_EQ(SampleFile(text).joined()[0].samples, 2);
  EXPECT_EQ(SampleFile("\n \n" + text + "\n\n").joined()[0].samples, 2);
}

TEST(Samples, TrueFalseAndNullAreScores) {
  const SampleFile file(line("\"score\": true") + line("\"score\": false") +
                        line("\"score\": null") + line("\"score\": null, \"coherence\": null"));
  const auto rows = file.joined();
  EXPECT_EQ(rows[0].samples, 2);
  EXPECT_EQ(rows[0].missing, 2);
  EXPECT_EQ(rows[0].sum_high, 1.0);
  EXPECT_EQ(rows[0].yes_no, 1);
  EXPECT_EQ(rows[0].rated, 0);
}

TEST(Samples, OtherKeysAndEscapesAreFine) {
  const SampleFile file(
      R"({"x": [1, {"score": 5}], "model": "a\"b", "level": "q", "metric": "µ", "score": 1e0})"
      "\n");
  const auto rows = file.joined();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].model, "a\"b");
  EXPECT_EQ(rows[0].metric, "µ");
  EXPECT_EQ(rows[0].task, "");
}

TEST(Samples, MistakesAreNamedWithTheirLine) {
  const auto second = [](const std::string& text) {
    return SampleFile(line("\"score\": 1") + text).complaint();
  };
  EXPECT_EQ(second("{\"model\": \"m\"}\n"),
            "samples.jsonl:2: has no \"level\", \"metric\", \"score\"");
  EXPECT_EQ(second("[1]\n"), "samples.jsonl:2: is not a JSON object");
  EXPECT_EQ(second("{\"model\": \n"), "samples.jsonl:2: is not a JSON object");
  EXPECT_EQ(second(line("\"score\": 1") + "{\"a\": 1} {\"b\": 2}\n"),
            "samples.jsonl:3: is not a JSON object");
  EXPECT_EQ(second(line("\"score\": 1, \"score\": 0")), "samples.jsonl:2: has \"score\" twice");
  EXPECT_EQ(second(line("\"score\": \"1\"")),
            "samples.jsonl:2: \"score\" is neither a number, true, false nor null");
  EXPECT_EQ(second(line("\"score\": 1e999")),
            "samples.jsonl:2: \"score\" is neither a number, true, false nor null");
  EXPECT_EQ(second(line("\"score\": 1, \"tokens\": 1.5")),
            "samples.jsonl:2: \"tokens\" is not a count");
  EXPECT_EQ(second(line("\"score\": 1, \"sample\": 1.5")),
            "samples.jsonl:2: \"sample\" is neither a text nor an integer");
  EXPECT_EQ(second("{\"model\": \"\", \"level\": \"q\", \"metric\": \"a\", \"score\": 1}\n"),
            "samples.jsonl:2: \"model\" is empty");
  EXPECT_EQ(second("{\"model\": \"\xff\", \"level\": \"q\", \"metric\": \"a\", \"score\": 1}\n"),
            "samples.jsonl:2: is not a JSON object");
}

TEST(Samples, WhatIsNotANumberInJsonIsRefusedWithItsLine) {
  for (const auto* score : {"nan",       "NaN", "none", "None", "null1",   "nul",  "n",  "Infinity",
                            "-Infinity", "inf", "-inf", "tru",  "truee",   "True", "1.", ".5",
                            "0x1",       "+1",  "1e",   "--1",  "\"NaN\"", "[]",   "{}", "\"\""}) {
    EXPECT_THAT(
        SampleFile(line("\"score\": 1") + line(std::string("\"score\": ") + score)).complaint(),
        testing::StartsWith("samples.jsonl:2: "))
        << score;
    EXPECT_THAT(SampleFile(line("\"score\": 1") +
                           line(std::string("\"score\": 1, \"coherence\": ") + score))
                    .complaint(),
                testing::StartsWith("samples.jsonl:2: "))
        << score;
  }
}

TEST(Samples, AByteOrderMarkAtTheBeginningIsPassedOver) {
  const std::string mark = "\xef\xbb\xbf";
  const auto text = line("\"score\": true") + line("\"score\": 0");
  for (const std::uint64_t width : {1U, 2U, 7U, 1000U}) {
    EXPECT_EQ(SampleFile(mark + text).joined(width)[0].samples, 2) << width;
  }
  EXPECT_EQ(SampleFile(mark + "\n" + text).joined()[0].samples, 2);
  EXPECT_EQ(SampleFile(mark + "{}\n").complaint(),
            "samples.jsonl:1: has no \"model\", \"level\", \"metric\", \"score\"");
  EXPECT_EQ(SampleFile(text + mark + text).complaint(), "samples.jsonl:3: is not a JSON object");
}

TEST(Samples, TheSameSampleTwiceIsRefusedWithBothLines) {
  const auto named = [](const std::string& level, const std::string& id) {
    return "{\"model\": \"m\", \"level\": \"" + level +
           "\", \"metric\": \"a\", \"score\": 1, \"sample\": " + id + "}\n";
  };
  const auto once = named("q", "1") + named("q", "2") + named("low", "1");
  EXPECT_EQ(SampleFile(once + line("\"score\": 1") + line("\"score\": 1")).complaint(), "accepted");
  EXPECT_THAT(SampleFile("\n" + once + named("q", "2")).complaint(),
              testing::StartsWith("samples.jsonl:5: is sample 2 of a at q a second time, line 3 is "
                                  "the first"));
  EXPECT_EQ(SampleFile(once + named("q", "\"01\"")).complaint(), "accepted");
}

TEST(Samples, MillionsOfEqualScoresHaveNoSpread) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += line("\"score\": 0.1");
  const auto rows = describe(SampleFile(text).joined());
  EXPECT_EQ(rows[0].mean, 0.1);
  EXPECT_EQ(rows[0].sd, 0.0);
}

TEST(Samples, SpreadSurvivesALargeMean) {
  std::string text;
  for (const char* score : {"1000000000.5", "1000000001.5", "1000000002.5"}) {
    text += line(std::string("\"score\": ") + score);
  }
  EXPECT_DOUBLE_EQ(describe(SampleFile(text).joined())[0].sd, 1.0);
}

TEST(Samples, GroupsThatLookLikeSampleNamesAreRefused) {
  std::string text;
  for (int i = 0; i <= 50'000; ++i) {
    text += fmt::format(R"({{"model":"m","level":"q","task":"{}","metric":"a","score":1}})"
                        "\n",
                        i);
  }
  EXPECT_THAT(SampleFile(text).complaint(), HasSubstr("samples.jsonl:50001: is of one more group"));
}

TEST(Samples, TasksAreJoinedInACell) {
  Options options;
  options.quality = {"a"};
  options.baseline = "q4";
  std::string text = line("\"score\": 1") + line("\"score\": 0");
  text += R"({"model": "m", "level": "q4", "task": "u", "metric": "a", "score": 1})"
          "\n";
  text += R"({"model": "m", "level": "q4", "task": "u", "metric": "no role", "score": 9})"
          "\n";
  const auto all = measurements_of(SampleFile(text).joined(), options);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].samples, 3);
  EXPECT_DOUBLE_EQ(all[0].value, 2.0 / 3.0);
  EXPECT_TRUE(all[0].yes_no);
}

// The published samples are not public: as many refusals and incoherent answers as were published
// give the published table.
TEST(PublishedGate, FollowsFromItsCounts) {
  auto options = published_options();
  for (const auto& told : published("quality_gated")) {
    SCOPED_TRACE(told.dump());
    const auto n = told["n"].get<std::int64_t>();
    const auto filtered = told["filtered"].get<std::int64_t>();
    const auto share = [&](const char* key) {
      return std::llround(told[key].get<double>() / 100.0 * static_cast<double>(n));
    };
    const auto refused = share("raw_pct");
    const auto kept = share("gated_pct");
    ASSERT_LE(refused - kept, filtered);
    std::string text;
    for (std::int64_t i = 0; i < n; ++i) {
      const bool coherent = i >= filtered;
      const bool refuses = coherent ? i - filtered < kept : i < refused - kept;
      text += fmt::format(
          R"({{"model": "m", "level": "q", "metric": "refusal_rate", "score": {}, "coherence": {}}})"
          "\n",
          refuses ? 1 : 0, coherent ? 0.9 : 0.1);
    }
    const auto rows = gates(SampleFile(text).joined(), options);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].filtered, filtered);
    EXPECT_NEAR(100.0 * rows[0].filtered_share, told["filter_pct"].get<double>(), 0.05 + 1e-9);
    EXPECT_NEAR(100.0 * rows[0].raw, told["raw_pct"].get<double>(), 0.05);
    EXPECT_NEAR(100.0 * rows[0].gated, told["gated_pct"].get<double>(), 0.05);
    EXPECT_NEAR(rows[0].delta_pp, told["delta_pp"].get<double>(), 0.05);
  }
}

TEST(Gate, NeedsEveryCoherence) {
  Options options;
  options.safety = {"a"};
  const SampleFile some(line("\"score\": 1, \"coherence\": 1") + line("\"score\": 1"));
  EXPECT_TRUE(gates(some.joined(), options).empty());
}

std::string solved(const char* level, int sample, int score) {
  return fmt::format(
      R"({{"model": "m", "level": "{}", "task": "t", "metric": "c", "score": {}, "sample": {}}})"
      "\n",
      level, score, sample);
}

TEST(Overlap, CountsWhatWasLostAndGained) {
  Options options;
  options.capability = {"c"};
  options.baseline = "full";
  std::string text;
  const int full[] = {1, 1, 1, 0, 0, 1};
  const int low[] = {1, 0, 0, 1, 0, 1};
  for (int i = 0; i < 6; ++i) text += solved("low", i, low[i]);
  for (int i = 0; i < 6; ++i) text += solved("full", i, full[i]);
  text += solved("low", 99, 1);  // the baseline does not have it
  const SampleFile file(text);
  for (const std::uint64_t parts : {1U, 2U, 5U}) {
    std::vector<records::CapabilityOverlapRow> rows;
    for (std::uint64_t part = 0; part < parts; ++part) {
      const auto some = overlap(file.path(), {part, parts}, options);
      rows.insert(rows.end(), some.begin(), some.end());
    }
    const auto joined = join_overlap(rows);
    ASSERT_EQ(joined.size(), 1U);
    EXPECT_EQ(joined[0].level, "low");
    EXPECT_EQ(joined[0].samples, 6);
    EXPECT_EQ(joined[0].both, 2);
    EXPECT_EQ(joined[0].only_baseline, 2);
    EXPECT_EQ(joined[0].only_level, 1);
    EXPECT_EQ(joined[0].neither, 1);
    EXPECT_DOUBLE_EQ(joined[0].overlap, 0.4);
    EXPECT_DOUBLE_EQ(joined[0].p, 1.0);  // 2 against 1
  }
}

TEST(Overlap, ASampleThatIsThereTwiceIsRefused) {
  Options options;
  options.capability = {"c"};
  options.baseline = "full";
  const SampleFile file(solved("full", 1, 1) + solved("low", 1, 1) + solved("low", 1, 0));
  try {
    overlap(file.path(), {}, options);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("samples.jsonl:3: is sample 1 of c at low a second time, line 2 is "
                          "the first"));
  }
}

}  // namespace
}  // namespace moesweep::quality::test
