#include "sample_parser.hpp"

#include <array>
#include <limits>

#include <fmt/format.h>
#include <simdjson.h>

namespace moesweep::quality {
namespace {

using namespace simdjson;

static_assert(LineReader::padding >= SIMDJSON_PADDING);

enum Key : unsigned { model, level, task, metric, score, tokens, coherence, sample_id, other };

constexpr std::array<const char*, 8> key_names = {"model", "level",  "task",      "metric",
                                                  "score", "tokens", "coherence", "sample"};
constexpr unsigned required = 1U << model | 1U << level | 1U << metric | 1U << score;

Key key_of(const ondemand::raw_json_string& name) {
  for (unsigned i = 0; i < key_names.size(); ++i) {
    if (name.unsafe_is_equal(key_names[i])) return static_cast<Key>(i);
  }
  return other;
}

/// What is wrong with a value, null when nothing is.
using Problem = const char*;

Problem read_text(ondemand::value& value, std::string_view& out) {
  if (value.get_string().get(out) != SUCCESS) return "is not a text";
  return out.empty() ? "is empty" : nullptr;
}

/// What Python, C and others write for no number (NaN, nan, none, Infinity) is not JSON; type()
/// goes by the first character alone.
Problem read_number(ondemand::value& value, double& out) {
  constexpr Problem problem =
      "is neither a number, true, false nor null; write null for a missing one";
  ondemand::json_type type;
  if (value.type().get(type) != SUCCESS) return problem;
  bool yes = false;
  switch (type) {
    case ondemand::json_type::number:
      return value.get_double().get(out) == SUCCESS ? nullptr : problem;
    case ondemand::json_type::boolean:
      if (value.get_bool().get(yes) != SUCCESS) return problem;
      out = yes ? 1.0 : 0.0;
      return nullptr;
    case ondemand::json_type::null:
      if (value.is_null().get(yes) != SUCCESS || !yes) return problem;
      out = std::numeric_limits<double>::quiet_NaN();
      return nullptr;
    default:
      return problem;
  }
}

Problem read_tokens(ondemand::value& value, std::int64_t& out) {
  if (value.get_int64().get(out) != SUCCESS || out < 0) return "is not a count";
  return nullptr;
}

Problem read_id(ondemand::value& value, std::string_view& out) {
  ondemand::json_type type;
  constexpr Problem problem = "is neither a text nor an integer";
  if (value.type().get(type) != SUCCESS) return problem;
  if (type == ondemand::json_type::string) return read_text(value, out);
  std::int64_t number = 0;
  out = value.raw_json_token();
  while (!out.empty() && static_cast<unsigned char>(out.back()) <= ' ') out.remove_suffix(1);
  return value.get_int64().get(number) == SUCCESS ? nullptr : problem;
}

Problem read(Key key, ondemand::value& value, Sample& sample) {
  switch (key) {
    case model:
      return read_text(value, sample.model);
    case level:
      return read_text(value, sample.level);
    case task:
      return read_text(value, sample.task);
    case metric:
      return read_text(value, sample.metric);
    case score:
      return read_number(value, sample.score);
    case tokens:
      return read_tokens(value, sample.tokens);
    case coherence:
      return read_number(value, sample.coherence);
    case sample_id:
      return read_id(value, sample.id);
    case other:
      break;
  }
  return nullptr;
}

std::string missing_keys(unsigned seen) {
  std::string names;
  for (unsigned i = 0; i < key_names.size(); ++i) {
    if ((required >> i & 1U) == 0 || (seen >> i & 1U) != 0) continue;
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", key_names[i]);
  }
  return names;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

struct SampleParser::Json {
  ondemand::parser parser;
};

SampleParser::SampleParser() : json_(std::make_unique<Json>()) {}
SampleParser::~SampleParser() = default;

bool SampleParser::parse(std::string_view line, const LineReader& reader, Sample& sample) {
  if (is_blank(line)) return false;
  const auto refuse = [&] { throw reader.complaint("is not a JSON object"); };
  sample = {};
  sample.coherence = std::numeric_limits<double>::quiet_NaN();
  ondemand::document document;
  ondemand::object object;
  if (json_->parser.iterate(line.data(), line.size(), reader.capacity()).get(document) != SUCCESS ||
      document.get_object().get(object) != SUCCESS) {
    refuse();
  }
  unsigned seen = 0;
  for (auto found : object) {
    ondemand::field field;
    if (std::move(found).get(field) != SUCCESS) refuse();
    const auto key = key_of(field.key());
    if (key == other) continue;
    if ((seen >> key & 1U) != 0) {
      throw reader.complaint(fmt::format("has \"{}\" twice", key_names[key]));
    }
    seen |= 1U << key;
    if (const auto* problem = read(key, field.value(), sample)) {
      throw reader.complaint(fmt::format("\"{}\" {}", key_names[key], problem));
    }
  }
  const char* trailing = nullptr;  // out of bounds at the end of the line
  if (document.current_location().get(trailing) == SUCCESS) refuse();
  if ((seen & required) != required) {
    throw reader.complaint(fmt::format("has no {}", missing_keys(seen)));
  }
  return true;
}

}  // namespace moesweep::quality
