#pragma once
// What a worker needs from outside: something that computes and something that publishes.

#include <any>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <moesweep/engine/sweep/plan.hpp>

namespace moesweep::sweep {

/// A unit that left the compute threads.
struct Outcome {
  UnitIndex unit = 0;
  std::string error;     ///< empty when it succeeded
  double started = 0.0;  ///< Unix time, s
  double seconds = 0.0;
  std::int64_t bytes_read = 0;
  std::any payload;  ///< opaque to the engine; none when failed
  /// The system failed, not the unit (a full disk, a lost file server): other units would fail too.
  bool ends_sweep = false;
};

/// Computes units in the background.
class JobRunner {
 public:
  virtual ~JobRunner() = default;
  /// Returns at once. A unit that throws becomes an Outcome with its error.
  virtual void start(UnitIndex unit) = 0;
  /// The next finished unit, if any. Never blocks.
  virtual std::optional<Outcome> poll() = 0;
  /// Blocks until a unit has finished, at most for so long.
  virtual void wait(std::chrono::microseconds longest) { std::this_thread::sleep_for(longest); }
};

/// A group of units that is on disk, fsynced.
struct Published {
  std::string segment;
  std::vector<UnitIndex> units;
};

/// Publishes outcomes in the background.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual void put(Outcome outcome) = 0;
  /// Publishes everything put so far without waiting for the flush interval. Returns at once.
  virtual void flush() = 0;
  /// The next published group, if any. Throws Error(io_error) when something could not be
  /// published.
  virtual std::optional<Published> poll() = 0;
};

}  // namespace moesweep::sweep
