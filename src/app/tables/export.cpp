#include <algorithm>
#include <list>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/app/tables/export.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/output.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/core/records/catalog.hpp>

#include "destination.hpp"
#include "table_format.hpp"

namespace moesweep::tables {
namespace {

using records::Table;
using records::Tables;

Error missing_table(const std::string& name, const Tables& tables) {
  std::vector<std::string> present;
  for (const auto& [known, table] : tables) present.push_back(known);
  const auto all = fmt::format("there are {}", fmt::join(present, ", "));
  const auto place = fmt::format("table \"{}\"", name);
  if (records::find_table(name) != nullptr) {
    return Error(ExitCode::bad_usage, place, "is not in the results of this run", all);
  }
  const auto nearest = nearest_name(name, present);
  return Error(ExitCode::bad_usage, place, "is unknown",
               nearest ? fmt::format("did you mean \"{}\"?", *nearest) : all);
}

std::vector<const Table*> selected_tables(const Tables& tables,
                                          const std::vector<std::string>& names) {
  if (tables.empty()) {
    throw Error(ExitCode::bad_input, "results", "hold no table",
                "let the run finish a unit and aggregate it first");
  }
  std::vector<const Table*> selected;
  for (const auto& name : names) {
    const auto found = tables.find(name);
    if (found == tables.end()) throw missing_table(name, tables);
    if (std::ranges::find(selected, &found->second) == selected.end()) {
      selected.push_back(&found->second);
    }
  }
  if (names.empty()) {
    for (const auto& [name, table] : tables) selected.push_back(&table);
  }
  return selected;
}

// SQL names ignore case, hence the comparison of lower case letters.
void refuse_equal_flat_names(const std::vector<const Table*>& tables) {
  std::map<std::string, std::string> taken;
  for (const auto* table : tables) {
    auto flat = flat_name(table->info->name);
    for (auto& c : flat) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const auto [other, free] = taken.emplace(flat, table->info->name);
    if (!free) {
      throw Error(ExitCode::bad_input, fmt::format("table \"{}\"", table->info->name),
                  fmt::format("would take the same name as \"{}\"", other->second),
                  "export them one by one");
    }
  }
}

const TableFormat& format_of(std::string_view name) {
  const auto formats = table_formats();
  const auto found = std::ranges::find(formats, name, &TableFormat::name);
  if (found != formats.end()) return *found;
  const auto names = format_names();
  const auto nearest = nearest_name(name, names);
  throw Error(ExitCode::bad_usage, fmt::format("format \"{}\"", name), "is unknown",
              nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                      : fmt::format("there are {}", fmt::join(names, ", ")));
}

bool is_one_file(const TableFormat& format, const ExportOptions& options, std::size_t tables) {
  if (format.is_one_file) return true;
  return !options.tables.empty() && tables == 1 && !means_folder(options.output);
}

std::vector<Destination> destinations(const TableFormat& format,
                                      const std::vector<const Table*>& tables,
                                      const ExportOptions& options) {
  if (is_one_file(format, options, tables.size())) return {{options.output, tables}};
  std::vector<Destination> files;
  for (const auto* table : tables) {
    const auto name = fmt::format("{}.{}", flat_name(table->info->name), format.name);
    files.push_back({options.output / name, {table}});
  }
  return files;
}

// All checks come before the first file is created.
void prepare(const TableFormat& format, const std::vector<Destination>& files,
             const ExportOptions& options) {
  for (const auto& destination : files) refuse_occupied(destination.file, options.overwrite);
  if (format.check != nullptr) format.check(options.output);
  if (files.front().file == options.output) {
    require_folder_of(options.output);
  } else {
    make_output_folder(options.output);
  }
  remove_abandoned(files.front().file.parent_path());
}

void publish(FilePublisher& file, const Destination& destination, bool overwrite) {
  if (overwrite) {
    file.publish();
  } else if (!file.publish_exclusively()) {
    throw exists_already(destination.file);
  }
}

}  // namespace

std::span<const std::string> format_names() {
  static const auto names = [] {
    std::vector<std::string> all;
    for (const auto& format : table_formats()) all.push_back(format.name);
    return all;
  }();
  return names;
}

void require_format(std::string_view name) {
  format_of(name);
}

std::string flat_name(std::string_view table) {
  std::string name(table);
  std::ranges::replace(name, '/', '_');
  return name;
}

std::vector<ExportedTable> export_tables(const Tables& tables, const ExportOptions& options) {
  if (options.output.empty()) throw Error(ExitCode::bad_usage, "export", "has no output path");
  const auto selected = selected_tables(tables, options.tables);
  refuse_equal_flat_names(selected);
  const auto& format = format_of(options.format);
  const auto files = destinations(format, selected, options);
  prepare(format, files, options);

  std::list<FilePublisher> written;
  for (const auto& destination : files) {
    format.write(destination, written.emplace_back(destination.file));
  }
  std::vector<ExportedTable> report;
  auto file = written.begin();
  for (const auto& destination : files) {
    publish(*file++, destination, options.overwrite);
    for (const auto* table : destination.tables) {
      report.push_back(
          {table->info->name, checked_cast<std::int64_t>(table->rows()), destination.file});
    }
  }
  return report;
}

}  // namespace moesweep::tables
