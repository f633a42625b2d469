#pragma once
// What happened to each unit of work: never part of the digest, since ranks and times differ from
// run to run.

#include <tuple>

#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

struct UnitRow {
  std::string key;
  std::uint64_t id = 0;
  std::string kind;
  std::string status;  ///< "done" or "failed"
  std::string error;
  std::string payload_hash;
  std::int32_t rank = 0;
  std::string host;
  std::int32_t epoch = 0;
  double started = 0.0;
  double seconds = 0.0;
  std::int64_t bytes_read = 0;
};

template <>
struct TableOf<UnitRow> {
  static constexpr auto name = "units";
  static constexpr auto description = "One row a unit of work";
  static constexpr bool in_digest = false;
  static constexpr auto columns = std::tuple{
      Column{"key", &UnitRow::key, "", "Canonical name of the unit"},
      Column{"id", &UnitRow::id, "", "XXH3-64 of job fingerprint and key"},
      Column{"kind", &UnitRow::kind, "", "First component of the key"},
      Column{"status", &UnitRow::status, "", "done or failed"},
      Column{"error", &UnitRow::error, "", "Why it failed"},
      Column{"payload_hash", &UnitRow::payload_hash, "", "XXH3-128 of the unit's rows"},
      Column{"rank", &UnitRow::rank, "", "MPI rank that computed it"},
      Column{"host", &UnitRow::host, "", "Host of that rank"},
      Column{"epoch", &UnitRow::epoch, "", "Start or resume in which it was published, from 1"},
      Column{"started", &UnitRow::started, "s", "Unix time at which it started"},
      Column{"seconds", &UnitRow::seconds, "s", "Wall time it took"},
      Column{"bytes_read", &UnitRow::bytes_read, "B", "Bytes read from the inputs"},
  };
};

struct FailureRow {
  std::string key;
  std::string error;
};

template <>
struct TableOf<FailureRow> {
  static constexpr auto name = "failures";
  static constexpr auto description = "Units that failed and were not done by a later resume";
  static constexpr bool in_digest = false;
  static constexpr auto columns = std::tuple{
      Column{"key", &FailureRow::key, "", "Canonical name of the unit"},
      Column{"error", &FailureRow::error, "", "Why it failed"},
  };
};

}  // namespace moesweep::records
