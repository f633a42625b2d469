#include "progress.hpp"

#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/core/base/text.hpp>

#include "standard_error.hpp"

namespace moesweep::cli {
namespace {

constexpr double redraw_seconds = 0.2;
constexpr double line_seconds = 60.0;
constexpr int bar_width = 24;

std::string eta_text(const sweep::Progress& progress) {
  if (!progress.eta_seconds) return "ETA unknown yet";
  return fmt::format("ETA {} ({} to {})", format_duration(*progress.eta_seconds),
                     format_duration(*progress.eta_low_seconds),
                     format_duration(*progress.eta_high_seconds));
}

std::string line_of(const sweep::Progress& progress) {
  const auto failed = progress.failed > 0 ? fmt::format(", {} failed", progress.failed) : "";
  return fmt::format("{} of {} units on disk, {} more computed{}, {} elapsed, {}",
                     format_count(progress.done), format_count(progress.total),
                     format_count(progress.computed), failed,
                     format_duration(progress.elapsed_seconds), eta_text(progress));
}

std::string bar_of(const sweep::Progress& progress) {
  const double total = progress.total > 0 ? static_cast<double>(progress.total) : 1.0;
  const double part = static_cast<double>(progress.done + progress.computed) / total;
  const int filled = static_cast<int>(part * bar_width);
  return '[' + std::string(static_cast<std::size_t>(filled), '#') +
         std::string(static_cast<std::size_t>(bar_width - filled), '.') + "] ";
}

}  // namespace

ProgressDisplay::ProgressDisplay(bool quiet)
    : quiet_(quiet), on_terminal_(::isatty(STDERR_FILENO) != 0) {}

void ProgressDisplay::show(const sweep::Progress& progress) {
  const double every = on_terminal_ ? redraw_seconds : line_seconds;
  if (quiet_ || progress.elapsed_seconds - last_shown_ < every) return;
  if (last_shown_ < 0.0 && !on_terminal_) {  // the first line after a minute, not at once
    last_shown_ = 0.0;
    return;
  }
  last_shown_ = progress.elapsed_seconds;
  if (on_terminal_)
    write_error("\r\x1b[K" + bar_of(progress) + line_of(progress));
  else
    write_error("moesweep: " + line_of(progress) + '\n');
}

void ProgressDisplay::finish(const sweep::Progress& progress) {
  if (quiet_ || !on_terminal_) return;
  write_error("\r\x1b[K" + bar_of(progress) + line_of(progress) + '\n');
}

}  // namespace moesweep::cli
