#pragma once
// Which finished units have lost what they left beside their rows.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <moesweep/core/base/ids.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/engine/store/output_file.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/engine/store/scan.hpp>

namespace moesweep::run {

struct LostOutput {
  UnitId unit;
  std::string key;  ///< of the unit
  store::OutputFile file;
  std::filesystem::path path;
  std::string problem;  ///< "is missing"

  bool is_artifact() const { return file.place == store::OutputFile::Place::artifacts; }
  /// "artifact <name> is missing", "file <path> does not match its hash"
  std::string text() const;
};

/// Where a job of kind quantize writes: around a run directory called .moesweep, wherever both were
/// moved or copied to; quantize.out for others.
std::filesystem::path written_folder(const store::RunDirectory& run, const config::Settings& job);

struct LookOptions {
  store::Look look = store::Look::size;
  const config::Settings* job = nullptr;  ///< RUN/job.toml when it is null and needed
  std::function<void()> on_looked = {};   ///< after each file, by one thread at a time
};

/// Looks at every file that a done unit names, several at a time, in order of key and name.
/// Memory is a few MiB a thread.
std::vector<LostOutput> lost_outputs(const store::RunDirectory& run, const store::SegmentScan& scan,
                                     const LookOptions& options);

}  // namespace moesweep::run
