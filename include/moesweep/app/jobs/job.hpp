#pragma once
// From a job file to a plan: the only place where the domain meets the engine.

#include <any>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/base/ids.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/core/records/table.hpp>
#include <moesweep/core/records/units.hpp>
#include <moesweep/engine/capacity/rates.hpp>
#include <moesweep/engine/sweep/plan.hpp>

namespace moesweep::jobs {

using capacity::Rates;

/// A unit as its kind describes it, before it has an id.
struct UnitDraft {
  std::string key;
  sweep::Cost cost;
  sweep::Locality where;
};
struct StageDraft {
  std::string name;
  std::vector<UnitDraft> units;
};

/// A file below artifacts/ of the run. Its name carries the hash of its bytes (output_file.hpp), so
/// that equal units write equal files.
struct Artifact {
  std::string name;
  std::vector<std::byte> bytes;
};

/// Rows of one unit, and the files that they name.
struct UnitRows {
  records::Tables tables;
  std::int64_t bytes_read = 0;
  std::vector<Artifact> artifacts{};
};

/// What a kind of sweep brings to the engine: one implementation a job kind.
class JobKind {
 public:
  virtual ~JobKind() = default;
  /// Files that results depend on, by header and size.
  virtual std::vector<config::InputHash> inputs() const = 0;
  virtual std::vector<StageDraft> stages(const Rates& rates) const = 0;
  /// What whoever starts the job should know of it and its inputs, without being a mistake for
  /// certain: one line each.
  virtual std::vector<std::string> warnings() const { return {}; }
  /// Where the sweep runs: what earlier stages have published is below it. Called once, before
  /// run().
  virtual void run_in(const std::filesystem::path& run_directory) { (void)run_directory; }
  /// On rank 0 when an epoch starts, holding the lock, before any unit runs.
  virtual void begin() const {}
  /// On rank 0 when all units are done and results.h5 has these tables: the sweep is complete only
  /// when this returns. What there is to say of the end beside the tables: a type of the kind's own
  /// (quantize: WrittenSummary), empty where that is nothing.
  virtual std::any finish(const records::Tables& results) const {
    (void)results;
    return {};
  }
  /// On rank 0 when these units have failed, the first one first. Throws the Error that the sweep
  /// ends with where nothing can be made of the others; it ends with some_failed when this returns.
  virtual void explain(const std::vector<records::FailureRow>& failures) const { (void)failures; }
  /// Computes a unit, by its position in stages() counted through. Called from many threads at
  /// once; a pure function of job, inputs and earlier stages.
  virtual UnitRows run(sweep::UnitIndex unit) const = 0;
  /// As reduce_rows of the job's settings.
  virtual records::Tables reduce(records::Tables rows) const = 0;
};

/// A job that is ready to run.
struct Job {
  config::Settings settings;
  std::unique_ptr<JobKind> kind;
  std::vector<config::InputHash> inputs;
  Hash128 fingerprint;
  sweep::Plan plan;
};

/// What names a unit in segments, for all resumes of one job.
UnitId unit_id(std::string_view fingerprint_hex, std::string_view key);

/// Opens the inputs (headers only) and cuts the job into units. Throws Error(bad_input) or
/// Error(bad_job).
Job prepare_job(config::Settings settings, const Rates& rates);

/// Refuses units that cannot fit: Error(bad_job) naming unit, the memory it needs, and what decides
/// how much there is (RankResources::memory_source).
void require_memory(const sweep::Plan& plan, std::int64_t memory_bytes,
                    const std::string& memory_source);

/// The tables of results.h5 from the rows of all units, in key order. Needs the job file alone, not
/// the inputs.
records::Tables reduce_rows(const config::Settings& settings, records::Tables rows);

}  // namespace moesweep::jobs
