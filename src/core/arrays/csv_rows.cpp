#include <cmath>
#include <concepts>
#include <iterator>

#include <fmt/format.h>

#include <moesweep/core/arrays/csv_rows.hpp>
#include <moesweep/core/arrays/id_text.hpp>
#include <moesweep/core/base/utf8.hpp>

namespace moesweep::arrays {
namespace {

bool starts_a_formula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_cell(std::string& out, const std::string& value) {
  std::string scratch;
  const auto text = clean_text(value, scratch);
  const std::string_view guard = starts_a_formula(text) ? "'" : "";
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += guard;
    out += text;
  } else {
    append_quoted(out, std::string(guard) + std::string(text));
  }
}

void append_cell(std::string& out, double value) {
  if (!std::isnan(value)) fmt::format_to(std::back_inserter(out), "{}", value);
}

void append_cell(std::string& out, std::uint64_t value) {
  append_id(out, value);
}

template <std::signed_integral Integer>
void append_cell(std::string& out, Integer value) {
  fmt::format_to(std::back_inserter(out), "{}", std::int64_t{value});
}

}  // namespace

void append_csv_header(std::string& out, const records::TableInfo& info) {
  const char* separator = "";
  for (const auto& column : info.columns) {
    out += separator;
    append_cell(out, column.name);
    separator = ",";
  }
}

void append_csv_row(std::string& out, const records::Table& table, std::size_t row) {
  const auto line_start = out.size();
  const char* separator = "";
  for (const auto& column : table.columns) {
    out += separator;
    std::visit([&](const auto& values) { append_cell(out, values[row]); }, column);
    separator = ",";
  }
  // Readers skip an empty line; with a single column it would be a lost row.
  if (out.size() == line_start) out += "\"\"";
}

}  // namespace moesweep::arrays
