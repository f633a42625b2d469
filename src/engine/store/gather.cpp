#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include <malloc.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/store/scan.hpp>

namespace moesweep::store {
namespace {

bool is_done(const UnitStanding& unit) {
  return unit.row.status == "done";
}

std::vector<UnitStanding*> in_key_order(SegmentScan& scan) {
  std::vector<UnitStanding*> units;
  units.reserve(scan.units.size());
  for (auto& [id, unit] : scan.units) units.push_back(&unit);
  std::ranges::sort(
      units, {}, [](const auto* unit) -> const auto& { return unit->row.key; });
  return units;
}

/// One table's rows in the order in which segments hold them, a piece for each segment, and for
/// each row the rank of its unit in key order.
struct RankedRows {
  std::vector<records::Table> pieces;
  std::vector<std::uint32_t> ranks;
};

records::Table in_order(RankedRows rows) {
  std::vector<records::PieceRow> places;
  for (std::uint32_t piece = 0; piece < rows.pieces.size(); ++piece) {
    for (std::uint32_t row = 0; row < rows.pieces[piece].rows(); ++row) {
      places.push_back({piece, row});
    }
  }
  std::vector<std::uint32_t> order(rows.ranks.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t row) { return rows.ranks[row]; });
  std::vector<records::PieceRow> ordered;
  ordered.reserve(order.size());
  for (const auto row : order) ordered.push_back(places[row]);
  return records::joined(std::move(rows.pieces), ordered);
}

/// Rows stay in the tables that segments have: a set of tables for each unit would take several
/// times the memory.
class Gathering {
 public:
  explicit Gathering(const std::vector<UnitStanding*>& in_key_order) {
    for (std::uint32_t rank = 0; rank < in_key_order.size(); ++rank) {
      const auto& unit = *in_key_order[rank];
      if (is_done(unit)) ranks_[unit.segment].emplace(unit.row.id, rank);
    }
  }

  std::vector<std::string> segments() const {
    std::vector<std::string> names;
    for (const auto& [name, units] : ranks_) names.push_back(name);
    std::ranges::sort(names);
    return names;
  }

  void add(const std::string& name, SegmentTables segment) {
    auto& wanted = ranks_.at(name);
    std::vector<std::optional<std::uint32_t>> ranks;
    for (const auto& unit : segment.units) {
      const auto found = wanted.find(unit.id);
      ranks.push_back(found == wanted.end() ? std::nullopt : std::optional(found->second));
      if (found != wanted.end()) wanted.erase(found);  // once, should a segment have it twice
    }
    for (auto& [table_name, table] : segment.tables) add_rows(std::move(table), ranks);
  }

  records::Tables take() {
    records::Tables tables;
    for (auto& [name, rows] : rows_) tables.emplace(name, in_order(std::exchange(rows, {})));
    return tables;
  }

 private:
  void add_rows(SegmentTable segment, std::span<const std::optional<std::uint32_t>> ranks) {
    std::vector<std::uint32_t> kept;
    for (std::size_t row = 0; row < segment.units.size(); ++row) {
      if (ranks[segment.units[row]]) kept.push_back(static_cast<std::uint32_t>(row));
    }
    if (kept.empty()) return;
    auto& rows = rows_[segment.table.info->name];
    for (const auto row : kept) rows.ranks.push_back(*ranks[segment.units[row]]);
    if (kept.size() != segment.units.size()) records::keep_rows(segment.table, kept);
    rows.pieces.push_back(std::move(segment.table));
  }

  std::unordered_map<std::string, std::unordered_map<std::uint64_t, std::uint32_t>> ranks_;
  std::map<std::string, RankedRows> rows_;
};

struct Failure {
  double started = 0.0;
  records::FailureRow row;
};

void move_standings(const std::vector<UnitStanding*>& units, records::Tables& tables) {
  if (units.empty()) return;
  const auto& info = records::table_info<records::UnitRow>();
  records::reserve(tables.emplace(info.name, records::Table(info)).first->second, units.size());
  std::vector<Failure> failures;
  for (auto* unit : units) {
    records::append_row(tables, unit->row);
    auto& row = unit->row;
    if (!is_done(*unit))
      failures.push_back({row.started, {std::move(row.key), std::move(row.error)}});
    *unit = {};
  }
  // As they were started: what failed first is often why others did.
  std::ranges::stable_sort(failures, {}, &Failure::started);
  for (const auto& failure : failures) records::append_row(tables, failure.row);
}

// Hundreds of thousands of small blocks leave pages that malloc keeps for small blocks.
void give_back_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace

records::Tables gather(const std::filesystem::path& directory, SegmentScan scan) {
  records::Tables tables;
  const auto units = in_key_order(scan);
  Gathering gathering(units);
  move_standings(units, tables);
  scan = {};
  give_back_memory();  // before the rows arrive
  for (const auto& name : gathering.segments()) {
    const auto bytes = read_verified(directory / name);
    if (!bytes) {
      throw Error(ExitCode::io_error, (directory / name).string(), "changed while it was read",
                  "run the same command again");
    }
    gathering.add(name, read_segment(*bytes, name, [](const records::TableInfo&) { return true; }));
  }
  tables.merge(gathering.take());
  return tables;
}

}  // namespace moesweep::store
