// One JSON object per line, keys in column order.

#include <cmath>
#include <concepts>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <moesweep/core/arrays/id_text.hpp>
#include <moesweep/core/base/utf8.hpp>

#include "buffered_text.hpp"
#include "table_format.hpp"

namespace moesweep::tables {
namespace {

void append_value(std::string& out, const std::string& value) {
  std::string scratch;
  out += nlohmann::json(clean_text(value, scratch)).dump();
}

void append_value(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "null";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else if (value == 0 && std::signbit(value)) {
    out += "-0.0";  // -0 is an integer to most parsers, which lose the sign
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

void append_value(std::string& out, std::uint64_t value) {
  out += '"';
  arrays::append_id(out, value);
  out += '"';
}

template <std::signed_integral Integer>
void append_value(std::string& out, Integer value) {
  fmt::format_to(std::back_inserter(out), "{}", std::int64_t{value});
}

// What stands before each value of a row: `{"name":`, `,"shape":`, ...
std::vector<std::string> keys_of(const records::TableInfo& info) {
  std::vector<std::string> keys;
  for (const auto& column : info.columns) {
    std::string key = keys.empty() ? "{" : ",";
    append_value(key, column.name);
    keys.push_back(key + ':');
  }
  return keys;
}

void write(const Destination& destination, FilePublisher& file) {
  const auto& table = *destination.tables.front();
  BufferedText out(file);
  const auto keys = keys_of(*table.info);
  for (std::size_t row = 0, rows = table.rows(); row < rows; ++row) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      out.text() += keys[i];
      std::visit([&](const auto& values) { append_value(out.text(), values[row]); },
                 table.columns[i]);
    }
    out.text() += '}';
    out.end_line();
  }
  out.flush();
}

}  // namespace

TableFormat json_lines_format() {
  return {.name = "jsonl", .write = write};
}

}  // namespace moesweep::tables
