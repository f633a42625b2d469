#include "unit_runner.hpp"

#include <chrono>

#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/file.hpp>

namespace moesweep::run {
namespace {

// Also where one of that name is: what an earlier run of the unit has left may be damaged.
void publish(const std::vector<jobs::Artifact>& artifacts, const std::filesystem::path& folder) {
  for (const auto& artifact : artifacts) publish_file(folder / artifact.name, artifact.bytes);
}

}  // namespace

void UnitRunner::start(sweep::UnitIndex unit) {
  const auto id = job_.plan.unit(unit).id;
  notes_.started(id);
  const auto task = [this, unit] {
    auto outcome = compute(unit);
    const std::lock_guard lock(mutex_);
    finished_.push_back(std::move(outcome));
    has_finished_.notify_one();
  };
  try {
    pool_.start(task);
  } catch (...) {
    notes_.finished(id);
    throw;
  }
}

void UnitRunner::wait(std::chrono::microseconds longest) {
  std::unique_lock lock(mutex_);
  has_finished_.wait_for(lock, longest, [this] { return !finished_.empty(); });
}

std::optional<sweep::Outcome> UnitRunner::poll() {
  std::optional<sweep::Outcome> outcome;
  {
    const std::lock_guard lock(mutex_);
    if (finished_.empty()) return std::nullopt;
    outcome = std::move(finished_.front());
    finished_.pop_front();
  }
  notes_.finished(job_.plan.unit(outcome->unit).id);
  return outcome;
}

// Errors of the input and a lack of memory, which smaller units may not have, fail the unit and the
// sweep goes on; what else the system does to it (a full disk, a file server that is gone) ends the
// sweep, to be resumed; anything else is a bug.
sweep::Outcome UnitRunner::compute(sweep::UnitIndex unit) const {
  using std::chrono::duration;
  sweep::Outcome outcome;
  outcome.unit = unit;
  outcome.started = duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto begin = std::chrono::steady_clock::now();
  bool lacked_memory = false;
  const auto run = [&] {
    auto rows = job_.kind->run(unit);
    publish(rows.artifacts, artifacts_);
    outcome.bytes_read = rows.bytes_read;
    outcome.payload = std::move(rows.tables);
  };
  const auto noting_memory = [&] {
    try {
      run();
    } catch (const std::bad_alloc&) {
      lacked_memory = true;
      throw;
    }
  };
  try {
    catch_failures(noting_memory, [&](const Error& error) {
      outcome.error = error.what();
      outcome.ends_sweep = error.exit_code() == ExitCode::io_error && !lacked_memory;
    });
  } catch (const std::exception& error) {
    bug(error.what());
  }
  outcome.seconds = duration<double>(std::chrono::steady_clock::now() - begin).count();
  return outcome;
}

}  // namespace moesweep::run
