#pragma once
// One table of options per kind of file: defaults, help, validation, the JSON Schema and the
// documentation all come from it. The tables stand with their owners: the job's in jobs, the
// cluster's in capacity.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace moesweep::config {

using IntegerList = std::vector<std::int64_t>;
using NumberList = std::vector<double>;
using TextList = std::vector<std::string>;
/// What a key may hold. Sizes are bytes in an int64.
using Value =
    std::variant<bool, std::int64_t, double, std::string, IntegerList, NumberList, TextList>;

enum class ValueType : std::uint8_t {
  boolean,
  integer,
  number,
  text,
  integer_list,
  number_list,
  text_list,
  size,
  path
};

struct Option {
  std::string key{};  ///< dotted: "sensitivity.bits"; an inline table such as sensitivity.weights =
                      ///< {svd=..} is sensitivity.weights.svd
  ValueType type = ValueType::text;
  std::optional<Value> default_value{};  ///< none: the key must be given, or may_be_absent
  std::string help{};                    ///< one sentence, with the unit
  /// For text and lists: the allowed values (integers in decimal), empty for any.
  TextList choices{};
  std::optional<double> minimum{};  ///< for numbers, sizes and every element of their lists
  std::optional<double> maximum{};
  TextList kinds{};  ///< job kinds that know the key, empty for all
  bool in_fingerprint =
      true;  ///< false for what cannot change a result: name, paths, memory, threads, output.*
  std::string characters{};    ///< for text: a regular-expression class such as "A-Za-z0-9._-"
  bool may_be_empty = true;    ///< for lists
  bool may_repeat = true;      ///< for lists: the same element twice
  bool may_be_absent = false;  ///< has no default and Settings may lack it
};

}  // namespace moesweep::config
