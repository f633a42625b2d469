#include "generation.hpp"

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/json.hpp>

namespace moesweep::jobs {
namespace {

constexpr std::int8_t not_told = -1;
constexpr auto remedy =
    "a line is {\"variant\": ..., \"sample_id\": ..., \"truth\": ..., \"predicted\": ...}";

class Reader {
 public:
  Reader(const std::filesystem::path& file, const records::HiddenCacheInfo& samples)
      : file_(file.string()), samples_(samples) {
    for (std::size_t i = 0; i < samples.sample_id.size(); ++i) {
      position_.emplace(samples.sample_id[i], i);
    }
  }

  void add(const std::string& line) {
    ++line_;
    if (line.find_first_not_of(" \t\r") == std::string::npos) return;
    const auto object = parse_json(line, {place(), remedy});
    if (!object.is_object()) refuse("is not a JSON object");
    const auto variant = text_in(object, "variant");
    const auto sample_id = text_in(object, "sample_id");
    const auto found = position_.find(sample_id);
    if (found == position_.end())
      refuse("names a sample that the caches do not have: " + sample_id);
    const auto truth = label_in(object, "truth");
    if (truth != samples_.label[found->second]) {
      refuse(fmt::format(
          "says that {} is {}, the caches say {}", sample_id,
          samples_.label_names[static_cast<std::size_t>(truth)],
          samples_.label_names[static_cast<std::size_t>(samples_.label[found->second])]));
    }
    auto& decided = decisions_.by_variant[variant];
    decided.resize(samples_.sample_id.size(), not_told);
    if (decided[found->second] != not_told) refuse("tells " + sample_id + " a second time");
    decided[found->second] = label_in(object, "predicted");
  }

  std::map<std::string, std::vector<std::int8_t>> finish() {
    for (const auto& [variant, decided] : decisions_.by_variant) {
      const auto missing = std::find(decided.begin(), decided.end(), not_told);
      if (missing == decided.end()) continue;
      throw Error(ExitCode::bad_input, file_,
                  printable(fmt::format(
                      "has no decision of {} for sample {}", variant,
                      samples_.sample_id[static_cast<std::size_t>(missing - decided.begin())])),
                  "a verdict needs every sample of the caches");
    }
    if (decisions_.by_variant.empty()) {
      throw Error(ExitCode::bad_input, file_, "holds no decision");
    }
    return std::move(decisions_.by_variant);
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw Error(ExitCode::bad_input, place(), printable(problem), remedy);
  }
  std::string place() const { return fmt::format("{}:{}", file_, line_); }

  std::string text_in(const nlohmann::json& object, const char* key) const {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string())
      refuse(fmt::format("has no text \"{}\"", key));
    return found->get<std::string>();
  }

  std::int8_t label_in(const nlohmann::json& object, const char* key) const {
    const auto name = text_in(object, key);
    const auto found = std::find(samples_.label_names.begin(), samples_.label_names.end(), name);
    if (found == samples_.label_names.end()) {
      refuse(fmt::format("has an unknown label \"{}\", labels are {}", name,
                         fmt::join(samples_.label_names, ", ")));
    }
    return static_cast<std::int8_t>(found - samples_.label_names.begin());
  }

  std::string file_;
  const records::HiddenCacheInfo& samples_;
  std::unordered_map<std::string, std::size_t> position_;
  std::int64_t line_ = 0;
  GeneratedDecisions decisions_;
};

}  // namespace

GeneratedDecisions read_generation(const std::filesystem::path& file,
                                   const records::HiddenCacheInfo& samples) {
  const auto text = read_text_file(file);
  Reader reader(file, samples);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) reader.add(line);
  GeneratedDecisions decisions;
  decisions.by_variant = reader.finish();
  decisions.content_hash = hash128(std::as_bytes(std::span(text)));
  return decisions;
}

}  // namespace moesweep::jobs
