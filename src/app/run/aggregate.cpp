#include <array>
#include <map>

#include <fmt/format.h>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/app/run/aggregate.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/units.hpp>
#include <moesweep/engine/store/digest.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/store/results.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/engine/store/scan.hpp>

#include "lost_outputs.hpp"
#include "recorded_job.hpp"

namespace moesweep::run {
namespace {

store::Attributes attributes_of(const store::RunDirectory& run, const Aggregate& aggregated) {
  const auto epochs = store::read_epochs(run.lock());
  store::Attributes attributes = {
      {"results_digest", aggregated.digest},
      {"units_total", fmt::format("{}", aggregated.units_total)},
      {"units_done", fmt::format("{}", aggregated.units_done)},
      {"units_failed", fmt::format("{}", aggregated.units_failed)},
      {"complete", aggregated.complete() ? "yes" : "no"},
  };
  if (epochs.empty()) return attributes;
  const auto& first = epochs.front().start;
  attributes["job_fingerprint"] = first.fingerprint;
  attributes["isa"] = first.isa;
  attributes["blas"] = first.blas;
  attributes["build"] = first.build;
  return attributes;
}

// heads/predictions/<variant>/<layer>/<pooling>, int8 [seeds, samples], of the digits in
// heads/predicted.
std::vector<store::ByteMatrix> prediction_matrices(const records::Tables& tables) {
  std::map<std::string, std::map<std::int64_t, std::string>> by_path;
  for (auto& row : records::rows_of<records::PredictionRow>(tables)) {
    if (row.layer.empty()) continue;  // generated decisions have no seeds
    const auto path =
        fmt::format("heads/predictions/{}/{}/{}", row.variant, row.layer, row.pooling);
    by_path[path][row.seed] = std::move(row.predicted);
  }
  std::vector<store::ByteMatrix> matrices;
  for (const auto& [path, seeds] : by_path) {
    auto& matrix = matrices.emplace_back(store::ByteMatrix{
        path,
        "Predicted class: a row a seed, in ascending order; a column a sample of cache/samples "
        "(evidence heads: a span, -1 where there is none)",
        static_cast<std::int64_t>(seeds.size()),
        0,
        {}});
    for (const auto& [seed, digits] : seeds) {
      matrix.columns = static_cast<std::int64_t>(digits.size());
      for (const char digit : digits) {
        matrix.values.push_back(static_cast<std::int8_t>(digit == '-' ? -1 : digit - '0'));
      }
    }
  }
  return matrices;
}

void verify_outputs(const store::RunDirectory& run, const store::SegmentScan& scan,
                    const config::Settings& job, std::vector<std::string>& findings) {
  for (const auto& lost : lost_outputs(run, scan, {.look = store::Look::bytes, .job = &job})) {
    findings.push_back(fmt::format("{}; the same `moesweep {}` makes it again", lost.text(),
                                   lost.is_artifact() ? "run" : "quantize"));
  }
}

void verify_results(const store::RunDirectory& run, const Aggregate& aggregated,
                    std::vector<std::string>& findings) {
  // Before the end of a sweep there may be none.
  if (!aggregated.complete() && !std::filesystem::exists(status_of(run.results()))) return;
  store::Results results;
  try {
    results = store::read_results(run.results());
  } catch (const Error& error) {
    if (error.exit_code() != ExitCode::bad_input) throw;
    findings.emplace_back(error.what());
    return;
  }
  // Results made from more than is left are better than what could be made now.
  if (!aggregated.complete()) return;
  if (store::digest_of(results.tables) != store::digest_of(aggregated.tables)) {
    findings.push_back("results.h5 differs from the segments; run `moesweep aggregate`");
  }
}

store::SegmentScan scan_of(const store::RunDirectory& run) {
  store::require_run_directory(run);
  return store::scan_segments(run.segments(), store::Rotten::leave_in_place);
}

Reduce reduce_of(config::Settings job) {
  return [job = std::move(job)](records::Tables rows) {
    return jobs::reduce_rows(job, std::move(rows));
  };
}

/// Empty `given`: as the recorded job says.
Aggregate aggregate(const store::RunDirectory& run, store::SegmentScan scan, const Reduce& given) {
  const auto epochs = store::read_epochs(run.lock());
  const auto reduce = given ? given : reduce_of(recorded_job(run, epochs));
  if (!epochs.empty()) refuse_foreign_units(scan, epochs.front().start.fingerprint);
  Aggregate out;
  out.rotten = scan.rotten;
  out.units_total = epochs.empty() ? 0 : epochs.back().start.units;
  for (const auto& [id, unit] : scan.units) {
    ++(unit.row.status == "done" ? out.units_done : out.units_failed);
  }
  auto rows = store::gather(run.segments(), std::move(scan));
  std::array standings = {rows.extract("units"), rows.extract("failures")};
  out.tables = reduce(std::move(rows));
  for (auto& table : standings) out.tables.insert(std::move(table));
  if (out.complete() && out.units_total > 0) out.digest = store::digest_of(out.tables).hex();
  return out;
}

}  // namespace

Aggregate aggregate(const std::filesystem::path& run_directory) {
  const store::RunDirectory run{run_directory};
  return aggregate(run, scan_of(run), {});
}

bool write_results(const std::filesystem::path& run_directory, const Aggregate& aggregated,
                   store::ResultsTurn& turn) {
  const store::RunDirectory run{run_directory};
  remove_abandoned(run.root);
  return turn.publish([&] {
    store::write_results(run.results(), aggregated.tables, attributes_of(run, aggregated),
                         prediction_matrices(aggregated.tables));
  });
}

Aggregate write_aggregate(const std::filesystem::path& run_directory, const Reduce& reduce) {
  const store::RunDirectory run{run_directory};
  store::require_run_directory(run);
  while (true) {
    store::ResultsTurn turn(run.lock());
    auto out = aggregate(run, scan_of(run), reduce);
    if (write_results(run_directory, out, turn)) return out;
  }
}

std::vector<std::string> verify(const std::filesystem::path& run_directory, Aggregate& aggregated) {
  const store::RunDirectory run{run_directory};
  auto scan = scan_of(run);
  const auto job = recorded_job(run, store::read_epochs(run.lock()));
  std::vector<std::string> lost;
  verify_outputs(run, scan, job, lost);
  aggregated = aggregate(run, std::move(scan), reduce_of(job));
  std::vector<std::string> findings;
  for (const auto& name : aggregated.rotten) {
    findings.push_back(fmt::format(
        "segment {} does not match its hash; the same `moesweep run` computes its units again",
        name));
  }
  if (!aggregated.complete() && aggregated.rotten.empty()) {
    findings.push_back(fmt::format("{} of {} units are not done; the same `moesweep run` goes on",
                                   aggregated.units_total - aggregated.units_done,
                                   aggregated.units_total));
  }
  findings.insert(findings.end(), lost.begin(), lost.end());
  verify_results(run, aggregated, findings);
  return findings;
}

}  // namespace moesweep::run
