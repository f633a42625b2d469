#include "results_frames.hpp"

#include <algorithm>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/records/catalog.hpp>

namespace moesweep::store {
namespace {

constexpr std::int64_t no_more_tables = -1;

[[noreturn]] void refuse_nonsense() {
  throw BrokenStream(BrokenStream::Why::makes_no_sense);
}

std::size_t size_of(const records::ColumnValues& values) {
  return std::visit([](const auto& column) { return column.size(); }, values);
}

void receive_column(PlainReader& in, records::ColumnValues& values) {
  std::visit(
      [&]<typename Value>(std::vector<Value>& column) {
        if constexpr (std::is_same_v<Value, std::string>) {
          column = in.texts();
        } else {
          column = in.numbers<Value>();
        }
      },
      values);
}

records::Table receive_table(PlainReader& in, const records::TableInfo& info) {
  records::Table table(info);
  for (auto& column : table.columns) {
    receive_column(in, column);
    if (size_of(column) != table.rows()) refuse_nonsense();
  }
  return table;
}

}  // namespace

std::uint64_t results_bytes_for(std::uint64_t file_bytes) {
  constexpr std::uint64_t always = std::uint64_t{1} << 30;
  constexpr std::uint64_t per_byte = 256;
  return std::max(always, checked_product(file_bytes, per_byte).value_or(always));
}

void ResultsWriter::attributes(const Attributes& attributes) {
  std::vector<std::string> names;
  std::vector<std::string> values;
  for (const auto& [name, value] : attributes) {
    names.push_back(name);
    values.push_back(value);
  }
  out_.texts(names);
  out_.texts(values);
}

void ResultsWriter::begin_table(const records::TableInfo& info) {
  const auto tables = records::all_tables();
  out_.number(std::ranges::find(tables, &info) - tables.begin());
}

void ResultsWriter::column(const records::ColumnValues& values) {
  std::visit(
      [&]<typename Value>(const std::vector<Value>& column) {
        if constexpr (std::is_same_v<Value, std::string>) {
          out_.texts(column);
        } else {
          out_.numbers(column);
        }
      },
      values);
}

void ResultsWriter::end() {
  out_.number(no_more_tables);
}

Results receive_results(FrameReader& frames, const std::string& file_name,
                        std::uint64_t most_bytes) {
  Results results;
  PlainReader in(frames, file_name, most_bytes);
  const auto names = in.texts();
  auto values = in.texts();
  if (values.size() != names.size()) refuse_nonsense();
  for (std::size_t i = 0; i < names.size(); ++i) {
    results.attributes.emplace(names[i], std::move(values[i]));
  }
  const auto tables = records::all_tables();
  for (std::int64_t last = -1;;) {
    const auto next = in.number();
    if (next == no_more_tables) return results;
    if (next <= last || std::cmp_greater_equal(next, tables.size())) refuse_nonsense();
    const auto& info = *tables[static_cast<std::size_t>(next)];
    results.tables.emplace(info.name, receive_table(in, info));
    last = next;
  }
}

}  // namespace moesweep::store
