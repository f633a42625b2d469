#pragma once
// The one way to read JSON that others have written as a document. (Headers and indices of
// safetensors, which can be large, are read as events: checkpoint/json_events.hpp. Samples, of
// which there are millions, by simdjson, which has limits of its own.)

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include <nlohmann/json.hpp>

namespace moesweep {

/// Objects and arrays within each other that are read at most: no file of ours or of a checkpoint
/// has a tenth of it, and what walks through a document may recurse.
inline constexpr int deepest_json = 100;

enum class JsonNumbers : std::uint8_t {
  finite,  ///< RFC 8259
  python,  ///< also NaN, Infinity and -Infinity, as Python's json module writes and reads them
};

/// Who reads what, for errors: "<place>: is not valid JSON at character 17; <remedy>".
struct JsonPlace {
  std::string file;
  std::string remedy = {};
};

/// `text`, of which a byte order mark at its beginning is passed over. Of a key that stands twice
/// the last value counts. Error(bad_input) for what is not JSON (saying what it is instead, where
/// that is known: base/other_text.hpp) or is nested deeper than deepest_json.
nlohmann::json parse_json(std::string_view text, const JsonPlace& place,
                          JsonNumbers numbers = JsonNumbers::finite);
/// The same with keys in the order of the text.
nlohmann::ordered_json parse_ordered_json(std::string_view text, const JsonPlace& place,
                                          JsonNumbers numbers = JsonNumbers::finite);

/// An object whose keys stand in the order in which they were first set. In linear time: the
/// library's own (`object[key] = value`) looks through all keys for each, which takes a minute for
/// 200,000 of them.
class OrderedObject {
 public:
  /// Of a key that is set twice the last value counts.
  void set(const std::string& key, nlohmann::ordered_json value);
  /// Once, last.
  nlohmann::ordered_json take() &&;

 private:
  nlohmann::ordered_json::object_t members_;
  std::unordered_map<std::string, std::size_t> places_;
};

/// The document with `indent` spaces a level, one value a line, as dump(indent) writes it, but for
/// numbers that are not finite: NaN, Infinity and -Infinity, which JsonNumbers::python reads back.
std::string python_json_text(const nlohmann::ordered_json& document, int indent);

}  // namespace moesweep
