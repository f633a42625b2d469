#include "recorded_job.hpp"

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/base/paths.hpp>

namespace moesweep::run {
namespace {

// "name hash", as the epoch keeps them.
std::vector<config::InputHash> inputs_from(const std::vector<std::string>& lines,
                                           const std::filesystem::path& lock) {
  std::vector<config::InputHash> inputs;
  for (const auto& line : lines) {
    const auto space = line.rfind(' ');
    const auto hash =
        space == std::string::npos ? std::nullopt : parse_hash128(line.substr(space + 1));
    if (!hash) {
      throw Error(ExitCode::run_directory, lock.string(), "is damaged: input " + line,
                  "start the sweep in a new --run-dir");
    }
    inputs.push_back({line.substr(0, space), *hash});
  }
  return inputs;
}

}  // namespace

config::Settings recorded_job(const store::RunDirectory& run,
                              const std::vector<store::EpochRecord>& epochs) {
  const auto refuse = [&](const std::string& problem) {
    throw Error(ExitCode::run_directory, run.job().string(), problem,
                "start the sweep again with its own job file, that restores this one");
  };
  if (!std::filesystem::exists(status_of(run.job(), ExitCode::run_directory))) refuse("is missing");
  auto settings = jobs::load_job(run.job());
  if (epochs.empty()) return settings;
  const auto& start = epochs.front().start;
  const auto inputs = inputs_from(start.inputs, run.lock());
  if (jobs::job_fingerprint(settings, inputs).hex() != start.fingerprint) {
    refuse("is not the job that this sweep was started with");
  }
  return settings;
}

bool is_recorded(const store::RunDirectory& run, const jobs::Job& job) {
  try {
    return read_text_file(run.job()) == jobs::to_toml(job.settings);
  } catch (const Error&) {
    return false;
  }
}

void refuse_foreign_units(const store::SegmentScan& scan, std::string_view fingerprint_hex) {
  for (const auto& [id, unit] : scan.units) {
    if (id == jobs::unit_id(fingerprint_hex, unit.row.key)) continue;
    throw Error(ExitCode::bad_input, "segment " + unit.segment,
                "holds a unit of another sweep: " + unit.row.key,
                "move it out of the run directory");
  }
}

}  // namespace moesweep::run
