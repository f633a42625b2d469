#include <charconv>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <moesweep/app/run/aggregate.hpp>
#include <moesweep/app/run/run_results.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/shell_word.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/store/run_directory.hpp>

namespace moesweep::run {
namespace {

[[noreturn]] void refuse(const store::DamagedResults& damaged, const std::string& why,
                         const std::string& remedy) {
  throw store::DamagedResults(damaged.exit_code(), damaged.where(),
                              fmt::format("{} and was not made again: {}", damaged.problem(), why),
                              remedy);
}

bool is_unfinished(const Aggregate& made) {
  return made.rotten.empty() && made.units_done + made.units_failed < made.units_total;
}

/// Less than the whole sweep must not take the place of results that may have been complete, nor
/// come in the way of a sweep that is running.
std::string why_incomplete(const Aggregate& made) {
  if (!made.rotten.empty()) {
    return fmt::format("segment {} does not match its hash", made.rotten.front());
  }
  if (made.units_done + made.units_failed == made.units_total && made.units_total > 0) return {};
  return fmt::format("{} of {} units are not done",
                     made.units_total - made.units_done - made.units_failed, made.units_total);
}

void make_again(const store::RunDirectory& run, const store::DamagedResults& damaged) {
  try {
    store::ResultsTurn turn(run.lock());
    const auto made = aggregate(run.root);
    if (const auto why = why_incomplete(made); !why.empty()) {
      const auto of_part = fmt::format(
          "finish the sweep with {}, or take what there is with `moesweep aggregate {}`",
          how_to_finish(run.root), shell_word(run.root.native()));
      refuse(damaged, why, is_unfinished(made) ? of_part : damaged.remedy());
    }
    // Where it is not our turn any more, somebody else has made them meanwhile.
    write_results(run.root, made, turn);
  } catch (const store::DamagedResults&) {
    throw;
  } catch (const Error& error) {
    refuse(damaged, error.what(), damaged.remedy());
  }
  spdlog::warn("{} {}: it was made again from the segments", damaged.where(), damaged.problem());
}

/// A file that is sound and was put in the place of this run's own.
store::Results read_own_results(const store::RunDirectory& run) {
  auto results = store::read_results(run.results());
  const auto epochs = store::read_epochs(run.lock());
  const auto found = results.attributes.find("job_fingerprint");
  const bool is_own = epochs.empty() || (found != results.attributes.end() &&
                                         found->second == epochs.front().start.fingerprint);
  if (is_own) return results;
  throw store::DamagedResults(ExitCode::bad_input, run.results().string(),
                              "is of another job than this run directory",
                              "rebuild it with `moesweep aggregate " + run.root.string() + "`");
}

Error not_of_a_sweep(const std::string& file, const std::string& problem) {
  return Error(ExitCode::bad_input, file, problem,
               "the results are not of a sweep: do not use them");
}

/// 0 where it is missing.
std::int64_t count_at(const store::Attributes& attributes, const char* name,
                      const std::string& file) {
  const auto found = attributes.find(name);
  if (found == attributes.end()) return 0;
  const auto& text = found->second;
  std::int64_t count = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc() && rest == end && count >= 0) return count;
  throw not_of_a_sweep(file, fmt::format("has the attribute {} \"{}\"", name, printable(text)));
}

}  // namespace

std::string SweepCounts::text() const {
  return fmt::format("{} of {} units are done{}", done, total,
                     failed == 0 ? "" : fmt::format(", {} failed", failed));
}

SweepCounts sweep_counts(const store::Results& results, const std::string& file) {
  const auto& attributes = results.attributes;
  const auto complete = attributes.find("complete");
  const auto word = complete == attributes.end() ? std::string("no") : complete->second;
  if (word != "yes" && word != "no") {
    throw not_of_a_sweep(file, fmt::format("has the attribute complete \"{}\"", printable(word)));
  }
  return {word == "yes", count_at(attributes, "units_done", file),
          count_at(attributes, "units_failed", file), count_at(attributes, "units_total", file)};
}

std::string how_to_finish(const std::filesystem::path& run_directory) {
  const store::RunDirectory run{run_directory};
  return fmt::format("`moesweep run {} --run-dir {}`", shell_word(run.job().native()),
                     shell_word(run.root.native()));
}

store::Results read_run_results(const std::filesystem::path& run_directory) {
  const store::RunDirectory run{run_directory};
  store::require_run_directory(run);
  try {
    return read_own_results(run);
  } catch (const store::DamagedResults& damaged) {
    make_again(run, damaged);
  }
  return store::read_results(run.results());
}

}  // namespace moesweep::run
