#pragma once

#include <moesweep/engine/sweep/coordinator.hpp>

namespace moesweep::cli {

/// Shows progress on stderr: a bar that redraws on a terminal, a line a minute elsewhere.
class ProgressDisplay {
 public:
  explicit ProgressDisplay(bool quiet);
  void show(const sweep::Progress& progress);
  /// Ends the bar's line.
  void finish(const sweep::Progress& progress);

 private:
  bool quiet_;
  bool on_terminal_;
  double last_shown_ = -1.0;
};

}  // namespace moesweep::cli
