#include "lost_outputs.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <tuple>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/engine/store/lock.hpp>

#include "recorded_job.hpp"

namespace moesweep::run {
namespace {

// More readers than this gain nothing on one file server.
constexpr int most_readers = 8;

class Places {
 public:
  Places(const store::RunDirectory& run, const config::Settings* job) : run_(run), job_(job) {}

  std::filesystem::path path_of(const store::OutputFile& file) {
    if (file.place == store::OutputFile::Place::artifacts) return run_.artifacts() / file.name;
    if (checkpoint_.empty()) {
      checkpoint_ = job_ != nullptr
                        ? written_folder(run_, *job_)
                        : written_folder(run_, recorded_job(run_, store::read_epochs(run_.lock())));
    }
    return checkpoint_ / file.name;
  }

 private:
  const store::RunDirectory& run_;
  const config::Settings* job_;
  std::filesystem::path checkpoint_;
};

std::vector<LostOutput> named_files(const store::SegmentScan& scan, Places places) {
  std::vector<LostOutput> files;
  for (const auto& [id, unit] : scan.units) {
    if (unit.row.status != "done") continue;
    for (const auto& file : unit.files) {
      files.push_back({id, unit.row.key, file, places.path_of(file), {}});
    }
  }
  std::ranges::sort(files, [](const LostOutput& a, const LostOutput& b) {
    return std::tie(a.key, a.file.name) < std::tie(b.key, b.file.name);
  });
  return files;
}

void look_at_all(std::vector<LostOutput>& files, const LookOptions& options) {
  std::mutex mutex;
  std::vector<std::exception_ptr> failures(files.size());
  const auto look_at = [&](std::size_t i) {
    try {
      files[i].problem = store::damage_of(files[i].file, files[i].path, options.look);
    } catch (...) {
      failures[i] = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    if (options.on_looked) options.on_looked();
  };
  if (options.look == store::Look::size) {
    for (std::size_t i = 0; i < files.size(); ++i) look_at(i);
  } else {
    parallel::TaskPool pool(std::clamp(parallel::available_cpus(), 1, most_readers));
    for (std::size_t i = 0; i < files.size(); ++i) pool.start([&look_at, i] { look_at(i); });
  }
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace

std::string LostOutput::text() const {
  if (is_artifact()) return fmt::format("artifact {} {}", file.name, problem);
  return fmt::format("file {} {}", path.string(), problem);
}

std::filesystem::path written_folder(const store::RunDirectory& run, const config::Settings& job) {
  auto root = std::filesystem::absolute(run.root).lexically_normal();
  if (!root.has_filename()) root = root.parent_path();  // "OUT/.moesweep/"
  return root.filename() == ".moesweep" ? root.parent_path() : job.path("quantize.out");
}

std::vector<LostOutput> lost_outputs(const store::RunDirectory& run, const store::SegmentScan& scan,
                                     const LookOptions& options) {
  auto files = named_files(scan, Places(run, options.job));
  if (files.empty()) return files;
  look_at_all(files, options);
  std::erase_if(files, [](const LostOutput& file) { return file.problem.empty(); });
  return files;
}

}  // namespace moesweep::run
