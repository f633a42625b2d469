#pragma once
// JobRunner over a TBB arena.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/sweep/ports.hpp>

namespace moesweep::run {

class UnitRunner final : public sweep::JobRunner {
 public:
  /// Both must outlive the runner. `notes` is touched by the calling thread only.
  /// Artifacts are on disk in `artifacts` before a unit's rows are handed on.
  UnitRunner(const jobs::Job& job, store::InFlightNotes& notes, std::filesystem::path artifacts,
             int threads)
      : job_(job), notes_(notes), artifacts_(std::move(artifacts)), pool_(threads) {}

  void start(sweep::UnitIndex unit) override;
  std::optional<sweep::Outcome> poll() override;
  void wait(std::chrono::microseconds longest) override;

 private:
  sweep::Outcome compute(sweep::UnitIndex unit) const;

  const jobs::Job& job_;
  store::InFlightNotes& notes_;
  std::filesystem::path artifacts_;
  std::mutex mutex_;
  std::condition_variable has_finished_;
  std::deque<sweep::Outcome> finished_;
  parallel::TaskPool pool_;  // last: waits for its tasks before the rest goes
};

}  // namespace moesweep::run
