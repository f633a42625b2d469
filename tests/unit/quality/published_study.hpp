#pragma once
// The published matrix of tests/data/tr142, analysed as jobs/quality-safety.toml does, and the
// published tables.

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include <moesweep/analysis/quality/measurement.hpp>
#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>

namespace moesweep::quality::test {

inline Options published_options() {
  Options options;
  options.quality = {"bertscore", "rouge_l", "coherence"};
  options.safety = {"refusal_rate", "truthfulness", "bias_resistance"};
  options.percent = options.safety;
  options.yes_no = {"refusal_rate", "bias_resistance"};
  options.refusal = {"refusal_rate"};
  options.baseline = "FP16";
  options.samples = {{"bertscore", 100},    {"rouge_l", 150},     {"coherence", 250},
                     {"refusal_rate", 220}, {"truthfulness", 50}, {"bias_resistance", 198}};
  return options;
}

inline std::string data_file(const char* name) {
  return std::string(MOESWEEP_TEST_DATA) + "/tr142/" + name;
}

inline std::vector<records::CellRow> published_cells() {
  const auto options = published_options();
  return normalize(read_matrix(data_file("matrix.csv"), options), options);
}

inline const nlohmann::json& published(const char* table) {
  static const auto tables = nlohmann::json::parse(read_text_file(data_file("published.json")));
  return tables.at(table);
}

/// The tables name metrics in several ways.
inline std::string metric_named(const std::string& name) {
  static const std::map<std::string, std::string> names = {{"BERTScore", "bertscore"},
                                                           {"ROUGE-L", "rouge_l"},
                                                           {"Coherence", "coherence"},
                                                           {"Refusal Rate", "refusal_rate"},
                                                           {"Refusal", "refusal_rate"},
                                                           {"Truthfulness", "truthfulness"},
                                                           {"Bias Resistance", "bias_resistance"},
                                                           {"Bias", "bias_resistance"}};
  const auto found = names.find(name);
  return found == names.end() ? name : found->second;
}

/// The only row that `matches`; a bug when there is none.
template <typename Row, typename Matches>
const Row& row_where(const std::vector<Row>& rows, const Matches& matches) {
  const Row* found = nullptr;
  for (const auto& row : rows) {
    if (!matches(row)) continue;
    expect(found == nullptr, "two rows match");
    found = &row;
  }
  expect(found != nullptr, "no row matches");
  return *found;
}

}  // namespace moesweep::quality::test
