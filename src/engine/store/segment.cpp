#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/catalog.hpp>
#include <moesweep/engine/store/output_file.hpp>
#include <moesweep/engine/store/segment.hpp>

#include "hdf5_image.hpp"
#include "hdf5_table.hpp"

namespace moesweep::store {
namespace {

constexpr auto unit_row_column = "unit_row";

struct JoinedTable {
  records::Table table;
  std::vector<std::int64_t> unit_rows;
};

std::map<std::string, JoinedTable> join(std::span<const UnitRecord> records) {
  std::map<std::string, JoinedTable> joined;
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (const auto& [name, table] : records[i].rows) {
      expect(records::find_table(name) == table.info, "a table that is not in the catalog");
      auto found = joined.find(name);
      if (found == joined.end()) {
        found = joined.emplace(name, JoinedTable{records::Table(*table.info), {}}).first;
      }
      records::append(found->second.table, table);
      found->second.unit_rows.resize(found->second.table.rows(), checked_cast<std::int64_t>(i));
    }
  }
  return joined;
}

records::Table rows_between(const records::Table& table, std::size_t first, std::size_t last) {
  records::Table part(*table.info);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    std::visit(
        [&](auto& values) {
          const auto& all = std::get<std::decay_t<decltype(values)>>(table.columns[i]);
          values.assign(all.begin() + static_cast<std::ptrdiff_t>(first),
                        all.begin() + static_cast<std::ptrdiff_t>(last));
        },
        part.columns[i]);
  }
  return part;
}

// Places in /units, each unit's in one run: encode_segment() appended rows unit by unit.
std::vector<std::size_t> unit_places(const std::vector<std::int64_t>& unit_rows,
                                     const records::Table& table, std::size_t units,
                                     const std::string& name) {
  if (unit_rows.size() != table.rows()) {
    throw Error(ExitCode::bad_input, name, "rows without a unit in " + table.info->name);
  }
  std::vector<std::size_t> places;
  places.reserve(unit_rows.size());
  for (const auto row : unit_rows) {
    if (!std::in_range<std::size_t>(row) || std::cmp_greater_equal(row, units)) {
      throw Error(ExitCode::bad_input, name, "rows of an unknown unit in " + table.info->name);
    }
    if (!places.empty() && std::cmp_less(row, places.back())) {
      throw Error(ExitCode::bad_input, name, "rows of one unit apart in " + table.info->name);
    }
    places.push_back(static_cast<std::size_t>(row));
  }
  return places;
}

void split(const SegmentTable& joined, std::vector<UnitRecord>& records) {
  const auto& units = joined.units;
  for (std::size_t first = 0; first < units.size();) {
    std::size_t last = first;
    while (last < units.size() && units[last] == units[first]) ++last;
    records[units[first]].rows.emplace(joined.table.info->name,
                                       rows_between(joined.table, first, last));
    first = last;
  }
}

records::Table read_units(hid_t file, const std::string& name) {
  auto units = read_table(file, records::table_info<records::UnitRow>(), name);
  if (!units) throw Error(ExitCode::bad_input, name, "has no /units");
  return std::move(*units);
}

std::vector<UnitRecord> decode(std::span<const std::byte> bytes, const std::string& name,
                               const WantsTable& is_wanted) {
  auto segment = read_segment(bytes, name, is_wanted);
  std::vector<UnitRecord> records;
  for (auto& row : segment.units) records.push_back({std::move(row), {}});
  for (const auto& [table, joined] : segment.tables) split(joined, records);
  return records;
}

}  // namespace

std::vector<std::byte> encode_segment(std::span<const UnitRecord> records) {
  records::Table units(records::table_info<records::UnitRow>());
  for (const auto& record : records) records::append_row(units, record.unit);
  const auto tables = join(records);
  return build_image([&](hid_t file) {
    write_table(file, units.info->name, units, Packing::contiguous);
    for (const auto& [name, joined] : tables) {
      write_table(file, name, joined.table, Packing::contiguous);
      write_int64_column(file, name, unit_row_column, joined.unit_rows);
    }
  });
}

SegmentTables read_segment(std::span<const std::byte> bytes, const std::string& name,
                           const WantsTable& is_wanted) {
  SegmentTables segment;
  with_image(bytes, name, [&](hid_t file) {
    segment.units = records::rows_of<records::UnitRow>(read_units(file, name));
    for (const auto* info : records::all_tables()) {
      if (info == &records::table_info<records::UnitRow>() || !is_wanted(*info)) continue;
      auto table = read_table(file, *info, name);
      if (!table) continue;
      auto units = unit_places(read_int64_column(file, info->name, unit_row_column, name), *table,
                               segment.units.size(), name);
      segment.tables.emplace(info->name, SegmentTable{std::move(*table), std::move(units)});
    }
  });
  return segment;
}

std::vector<UnitRecord> decode_segment(std::span<const std::byte> bytes, const std::string& name) {
  return decode(bytes, name, [](const records::TableInfo&) { return true; });
}

std::vector<UnitRecord> decode_segment_units(std::span<const std::byte> bytes,
                                             const std::string& name) {
  return decode(bytes, name, [](const records::TableInfo& info) {
    return std::ranges::count(tables_of_output_files(), info.name) != 0;
  });
}

namespace {

std::string segment_name(Epoch epoch, Rank rank, std::int64_t serial, const std::string& hash_hex) {
  return fmt::format("e{:04}-r{:04}-s{:06}-{}.h5", epoch.value, rank.value, serial, hash_hex);
}

}  // namespace

std::string segment_name(Epoch epoch, Rank rank, std::int64_t serial, const Hash128& hash) {
  return segment_name(epoch, rank, serial, hash.hex());
}

std::optional<SegmentName> parse_segment_name(const std::string& name) {
  SegmentName parsed;
  char hash[33] = {};
  long long serial = 0;
  const int fields = std::sscanf(name.c_str(), "e%9d-r%9d-s%18lld-%32[0-9a-f]", &parsed.epoch.value,
                                 &parsed.rank.value, &serial, hash);
  if (fields != 4) return std::nullopt;
  parsed.serial = serial;
  parsed.hash_hex = hash;
  const bool whole_hash = parsed.hash_hex.size() == 32;
  const auto canonical = segment_name(parsed.epoch, parsed.rank, parsed.serial, parsed.hash_hex);
  const bool negative = parsed.epoch.value < 0 || parsed.rank.value < 0 || parsed.serial < 0;
  if (!whole_hash || negative || canonical != name) return std::nullopt;
  return parsed;
}

std::optional<std::vector<std::byte>> read_verified(const std::filesystem::path& path) {
  const auto name = parse_segment_name(path.filename().string());
  expect(name.has_value(), "not a segment's name");
  auto bytes = read_file(path);
  if (hash128(bytes).hex() != name->hash_hex) return std::nullopt;
  return bytes;
}

}  // namespace moesweep::store
