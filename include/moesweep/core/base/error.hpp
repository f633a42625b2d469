#pragma once
// Two roots: `Error` is something the user can mend (a file, a job, a full disk) and becomes one
// line and an exit code; a `bug()` is ours, prints a stack trace and ends the process.

#include <stdexcept>
#include <string>
#include <string_view>

#include <moesweep/core/base/source_place.hpp>

namespace moesweep {

/// Process exit codes: sysexits where one fits (README lists them). 1 is never ours, mpirun uses
/// it.
enum class ExitCode : int {
  complete = 0,
  bad_usage = 64,
  bad_input = 65,
  bug = 70,
  run_directory = 73,
  io_error = 74,
  stopped_early = 75,
  bad_job = 78,
  no_progress = 79,
  some_failed = 80,
};

/// A user-facing failure. `where` is a place (`job.toml:12`, a file, a tensor), `remedy` says what
/// to do. what() is the one line that is printed: "<where>: <problem>; <remedy>".
class Error : public std::runtime_error {
 public:
  Error(ExitCode exit_code, std::string where, std::string problem, std::string remedy = {});

  ExitCode exit_code() const { return exit_code_; }
  const std::string& where() const { return where_; }
  const std::string& problem() const { return problem_; }
  const std::string& remedy() const { return remedy_; }

 private:
  ExitCode exit_code_;
  std::string where_;
  std::string problem_;
  std::string remedy_;
};

/// An `Error` with the text of errno appended to the problem.
Error errno_error(ExitCode exit_code, std::string where, std::string_view problem,
                  int error_number);

/// Reports a broken invariant on stderr and calls std::terminate(); the terminate handler that
/// main() installs prints a stack trace and ends every rank with code 70.
[[noreturn]] void bug(std::string_view message, SourcePlace place = SourcePlace::current());

/// Always on: cheap checks of our own invariants, never of user input.
inline void expect(bool invariant, std::string_view message,
                   SourcePlace place = SourcePlace::current()) {
  if (!invariant) [[unlikely]]
    bug(message, place);
}

/// Replaces control characters, so that a hostile name cannot drive the terminal it is printed on.
std::string printable(std::string_view text);

}  // namespace moesweep
