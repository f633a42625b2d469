// One document for people, a section per table (GitHub's tables); doubles to six significant
// digits, not a number is an empty cell.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <iterator>

#include <fmt/format.h>

#include <moesweep/core/arrays/id_text.hpp>
#include <moesweep/core/base/utf8.hpp>

#include "buffered_text.hpp"
#include "table_format.hpp"

namespace moesweep::tables {
namespace {

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// Between letters an underscore is no emphasis.
bool within_word(std::string_view text, std::size_t i) {
  return i > 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
}

void append_cell(std::string& out, const std::string& value) {
  std::string scratch;
  std::string text(clean_text(value, scratch));
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  text = printable(text);  // people look at the file in a terminal
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      const bool special = std::string_view("|\\`*[]~#").find(c) != std::string_view::npos ||
                           (c == '_' && !within_word(text, i));
      if (special) out += '\\';
      out += c;
    }
  }
}

void append_cell(std::string& out, double value) {
  if (!std::isnan(value)) fmt::format_to(std::back_inserter(out), "{:.6g}", value);
}

void append_cell(std::string& out, std::uint64_t value) {
  arrays::append_id(out, value);
}

template <std::signed_integral Integer>
void append_cell(std::string& out, Integer value) {
  fmt::format_to(std::back_inserter(out), "{}", std::int64_t{value});
}

void write_heading(const records::TableInfo& info, BufferedText& out) {
  auto& text = out.text();
  text += "## ";
  append_cell(text, info.name);
  text += "\n\n";
  append_cell(text, info.description);
  text += "\n\n|";
  for (const auto& column : info.columns) {
    text += ' ';
    append_cell(text, column.name);
    if (!column.unit.empty() && column.unit != "1") {
      text += " (";
      append_cell(text, column.unit);
      text += ')';
    }
    text += " |";
  }
  text += "\n|";
  for (const auto& column : info.columns) {
    text += column.type == records::ColumnType::text ? "---|" : "---:|";
  }
  out.end_line();
}

void write(const Destination& destination, FilePublisher& file) {
  BufferedText out(file);
  const char* separator = "";
  for (const auto* table : destination.tables) {
    out.text() += separator;
    separator = "\n";
    write_heading(*table->info, out);
    for (std::size_t row = 0, rows = table->rows(); row < rows; ++row) {
      out.text() += '|';
      for (const auto& column : table->columns) {
        out.text() += ' ';
        std::visit([&](const auto& values) { append_cell(out.text(), values[row]); }, column);
        out.text() += " |";
      }
      out.end_line();
    }
  }
  out.flush();
}

}  // namespace

TableFormat markdown_format() {
  return {.name = "markdown", .is_one_file = true, .write = write};
}

}  // namespace moesweep::tables
