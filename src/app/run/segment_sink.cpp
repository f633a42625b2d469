#include "segment_sink.hpp"

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::run {

namespace {

// Texts of a column are padded to the longest.
constexpr std::size_t max_error_bytes = 1024;

}  // namespace

void SegmentSink::put(sweep::Outcome outcome) {
  const auto& unit = plan_.unit(outcome.unit);
  store::UnitRecord record;
  record.unit.key = unit.key;
  record.unit.id = unit.id.value;
  record.unit.kind = unit.key.substr(0, unit.key.find('/'));
  record.unit.status = outcome.error.empty() ? "done" : "failed";
  record.unit.error = outcome.error.substr(0, max_error_bytes);
  record.unit.rank = rank_.value;
  record.unit.host = host_;
  record.unit.epoch = epoch_.value;
  record.unit.started = outcome.started;
  record.unit.seconds = outcome.seconds;
  record.unit.bytes_read = outcome.bytes_read;
  if (outcome.error.empty())
    record.rows = std::any_cast<records::Tables>(std::move(outcome.payload));
  writer_.put(outcome.unit, std::move(record));
}

std::optional<sweep::Published> SegmentSink::poll() {
  auto published = writer_.poll();
  if (!published) return std::nullopt;
  sweep::Published out{std::move(published->segment), {}};
  for (const auto ticket : published->tickets) {
    out.units.push_back(checked_cast<sweep::UnitIndex>(ticket));
  }
  return out;
}

}  // namespace moesweep::run
