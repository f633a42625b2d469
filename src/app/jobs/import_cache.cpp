#include <algorithm>
#include <limits>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/app/jobs/import_cache.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/engine/store/hidden_cache.hpp>

#include "array_source.hpp"
#include "import_split.hpp"

namespace moesweep::jobs {
namespace {

using records::HiddenCacheInfo;
using Shape = std::vector<std::int64_t>;

const std::set<std::string> sample_arrays{"labels",   "split", "sample_id",   "cluster",
                                          "n_tokens", "cited", "span_tokens", "offsets"};
constexpr std::string_view skill_prefix = "skills/";

bool is_skill(const std::string& name) {
  return name.starts_with(skill_prefix);
}
bool is_states(const std::string& name) {
  return std::ranges::count(name, '/') == 1 && !is_skill(name);
}
bool has_meaning(const std::string& name) {
  return sample_arrays.contains(name) || is_states(name) || is_skill(name);
}
// Of the name that an array has in the cache, as a predicate.
std::string problem_with(const std::string& name) {
  return is_states(name) || is_skill(name) ? store::problem_with_dataset_name(name) : "";
}

arrays::Arrays rename(const arrays::Arrays& arrays,
                      const std::map<std::string, std::string>& renamed) {
  arrays::Arrays result = arrays;
  for (const auto& [name, array] : renamed) result.erase(array);
  for (const auto& [name, array] : renamed) {
    const auto place = fmt::format("--map {}={}", name, array);
    if (!has_meaning(name) || !problem_with(name).empty()) {
      throw Error(ExitCode::bad_usage, place, fmt::format("a cache has no {}", name),
                  "write labels, split, L1/mean or another name that caches have");
    }
    const auto found = arrays.find(array);
    if (found == arrays.end()) {
      std::vector<std::string> known;
      for (const auto& [known_name, unused] : arrays) known.push_back(known_name);
      const auto nearest = nearest_name(array, known);
      throw Error(ExitCode::bad_input, place, "the source has no such array",
                  nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                          : fmt::format("it has {}", fmt::join(known, " ")));
    }
    result[name] = found->second;
  }
  return result;
}

class Import {
 public:
  Import(const ImportOptions& options, arrays::Arrays arrays)
      : options_(options), arrays_(std::move(arrays)) {}

  ImportedCache run();

 private:
  const arrays::Array* find(const std::string& name) const {
    const auto found = arrays_.find(name);
    return found == arrays_.end() ? nullptr : &found->second;
  }
  const arrays::Array& require(const std::string& name, const std::string& remedy) const;
  void require_shape(const arrays::Array& array, const Shape& expected) const;
  template <typename Value>
  std::vector<Value> integers(const std::string& name, const Shape& shape) const;

  void check_names() const;
  void read_labels();
  void read_sample_ids();
  void read_split();
  void read_spans();
  void read_extras();
  void collect_states();

  const ImportOptions& options_;
  arrays::Arrays arrays_;
  ImportedCache result_;
  HiddenCacheInfo& info_ = result_.info;
  store::CacheExtras extras_;
  std::vector<store::CacheStates> states_;
};

const arrays::Array& Import::require(const std::string& name, const std::string& remedy) const {
  const auto* array = find(name);
  if (array != nullptr) return *array;
  throw Error(ExitCode::bad_input, options_.source.string(), fmt::format("has no array {}", name),
              remedy);
}

void Import::require_shape(const arrays::Array& array, const Shape& expected) const {
  if (array.shape == expected) return;
  throw Error(ExitCode::bad_input, array.place,
              fmt::format("has shape [{}], [{}] was expected", fmt::join(array.shape, ", "),
                          fmt::join(expected, ", ")),
              "every array holds the same samples, spans and hidden dimensions");
}

template <typename Value>
std::vector<Value> Import::integers(const std::string& name, const Shape& shape) const {
  const auto& array = require(name, "save it or name it with --map");
  require_shape(array, shape);
  std::vector<Value> values;
  for (const auto value : arrays::integers_of(array)) {
    if (!std::in_range<Value>(value)) {
      throw Error(ExitCode::bad_input, array.place, fmt::format("holds {}", value),
                  fmt::format("values lie between {} and {}", std::numeric_limits<Value>::min(),
                              std::numeric_limits<Value>::max()));
    }
    values.push_back(static_cast<Value>(value));
  }
  return values;
}

void Import::check_names() const {
  for (const auto& [name, array] : arrays_) {
    const auto problem = problem_with(name);
    if (problem.empty()) continue;
    throw Error(ExitCode::bad_input, array.place, fmt::format("as \"{}\" {}", name, problem),
                "leave it out, or give it the name of a dataset with --map L1/mean=ARRAY");
  }
}

void Import::read_labels() {
  const auto& labels = require("labels", "name the classes of the samples with --map labels=ARRAY");
  if (labels.shape.size() != 1) require_shape(labels, {labels.elements()});
  info_.samples = labels.elements();
  info_.label = integers<std::int8_t>("labels", {info_.samples});
  info_.label_names = options_.label_names;
  if (!info_.label_names.empty() || info_.label.empty()) return;
  for (int label = 0; label <= *std::ranges::max_element(info_.label); ++label) {
    info_.label_names.push_back(std::to_string(label));
  }
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::istringstream text(read_text_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
  }
  return lines;
}

void Import::read_sample_ids() {
  if (!options_.sample_ids.empty()) {
    info_.sample_id = lines_of(options_.sample_ids);
    if (!std::cmp_equal(info_.sample_id.size(), info_.samples)) {
      throw Error(ExitCode::bad_input, options_.sample_ids.string(),
                  fmt::format("holds {} lines, there are {} samples", info_.sample_id.size(),
                              info_.samples),
                  "write one id a line");
    }
  } else if (const auto* ids = find("sample_id")) {
    require_shape(*ids, {info_.samples});
    info_.sample_id = arrays::texts_of(*ids);
  } else {
    for (std::int64_t i = 0; i < info_.samples; ++i) {
      info_.sample_id.push_back(fmt::format("s{:06}", i));
    }
  }
  if (const auto* clusters = find("cluster")) {
    require_shape(*clusters, {info_.samples});
    info_.cluster = arrays::texts_of(*clusters);
  }
}

void Import::read_split() {
  const bool has_split = find("split") != nullptr;
  if (options_.random_split && has_split) {
    throw Error(ExitCode::bad_usage, "--random-split", "the source has an array split",
                "leave the option out");
  }
  if (options_.random_split) {
    info_.split = draw_split(info_.label, info_.cluster, *options_.random_split);
    return;
  }
  require("split",
          "save 0 train, 1 calibration, 2 test a sample, or draw with --random-split "
          "0.7,0.1,0.2");
  info_.split = integers<std::int8_t>("split", {info_.samples});
}

void Import::read_spans() {
  if (find("n_tokens") != nullptr) {
    info_.n_tokens = integers<std::int32_t>("n_tokens", {info_.samples});
  }
  const auto* cited = find("cited");
  if (cited == nullptr && find("span_tokens") == nullptr) return;
  const auto& shape = require("cited", "save which spans are evidence").shape;
  info_.spans = shape.size() == 2 ? shape[1] : 0;
  info_.cited = integers<std::int8_t>("cited", {info_.samples, info_.spans});
  info_.span_tokens = integers<std::int32_t>("span_tokens", {info_.samples, info_.spans, 2});
}

void Import::read_extras() {
  if (const auto* offsets = find("offsets")) {
    if (offsets->elements() == 0) {
      throw Error(ExitCode::bad_input, offsets->place, "is empty",
                  "save the first token of each sample, 0 first, and their number last");
    }
    extras_.token_offsets = integers<std::int64_t>("offsets", {offsets->elements()});
  }
  for (const auto& [name, array] : arrays_) {
    if (!is_skill(name)) continue;
    extras_.skills.emplace_back(name.substr(skill_prefix.size()),
                                integers<std::int8_t>(name, {info_.samples}));
  }
}

void Import::collect_states() {
  std::set<std::string> layers;
  for (const auto& [name, array] : arrays_) {
    if (!has_meaning(name)) result_.unused.push_back(name);
    if (!is_states(name)) continue;
    if (info_.hidden_dim == 0 && !array.shape.empty()) info_.hidden_dim = array.shape.back();
    Shape expected{info_.samples, info_.hidden_dim};
    if (name.ends_with("/span_mean")) expected = {info_.samples, info_.spans, info_.hidden_dim};
    if (name.ends_with("/states")) {
      if (extras_.token_offsets.empty()) {
        require("offsets", "token states need the first token of each sample");
      }
      expected = {extras_.token_offsets.back(), info_.hidden_dim};
    }
    require_shape(array, expected);
    layers.insert(name.substr(0, name.find('/')));
    states_.push_back(
        {name, [&states = array](const auto& take) { arrays::for_each_float(states, take); }});
    result_.datasets.push_back(name);
  }
  if (states_.empty() || info_.hidden_dim == 0) {
    throw Error(ExitCode::bad_input, options_.source.string(), "has no hidden states",
                "name an array of them with --map L1/mean=ARRAY");
  }
  info_.layers.assign(layers.begin(), layers.end());
  std::ranges::sort(info_.layers, is_before_by_number);
}

ImportedCache Import::run() {
  info_.model = options_.model;
  info_.variant = options_.out.stem().string();
  info_.bits = options_.bits;
  info_.group_size = options_.group_size;
  info_.model_bytes = options_.model_bytes;
  check_names();
  read_labels();
  read_sample_ids();
  read_split();
  read_spans();
  read_extras();
  collect_states();
  result_.bytes = store::write_hidden_cache(options_.out, info_, states_, extras_);
  return std::move(result_);
}

}  // namespace

ImportedCache import_cache(const ImportOptions& options) {
  if (options.out.extension() != ".h5" || options.out.stem().empty()) {
    throw Error(ExitCode::bad_usage, options.out.string(), "is not named <variant>.h5",
                "end the name of the cache with .h5");
  }
  return Import(options, rename(open_arrays(options.source), options.renamed)).run();
}

}  // namespace moesweep::jobs
