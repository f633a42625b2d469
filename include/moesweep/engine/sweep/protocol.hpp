#pragma once
// Messages between coordinator and workers. All are small; ranks run the same binary, so the
// encoding is not a public format.

#include <string>
#include <variant>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/comm/comm.hpp>
#include <moesweep/engine/sweep/plan.hpp>

namespace moesweep::sweep {

// To a worker.

/// Units to compute, in this order as memory allows.
struct Work {
  std::vector<UnitIndex> units;
};
/// Nothing more to hand out in this stage: publish as soon as the queue is empty.
struct QueueEmpty {};
/// Start nothing new, hand back what has not started, finish, publish.
struct Drain {};
/// Publish what is computed and do not wait for what is running.
struct Leave {};
/// All ranks have drained: end with this code.
struct Finish {
  ExitCode exit_code = ExitCode::complete;
};

// To the coordinator.

/// First message of a rank.
struct Hello {
  std::int32_t threads = 1;
  std::string host;
};
/// A unit left the compute threads. Not yet safe on disk.
struct Computed {
  UnitIndex unit = 0;
  bool failed = false;
  double seconds = 0.0;
  std::int64_t bytes_read = 0;
};
/// These units are on disk, fsynced. Only now are they done.
struct Durable {
  std::string segment;
  std::vector<UnitIndex> units;
};
/// Units that were assigned and will not be started by this rank.
struct HandedBack {
  std::vector<UnitIndex> units;
};
/// A signal arrived at this rank.
struct StopRequested {
  bool leave_now = false;  ///< SIGTERM or SIGINT, else SIGUSR2
};
/// This rank cannot publish any more.
struct Broken {
  ExitCode exit_code = ExitCode::io_error;
  std::string error;
};
/// Answer to Drain or Leave: nothing of this rank is unpublished.
struct Drained {};
/// Last message of a rank.
struct Goodbye {};

using Message = std::variant<Work, QueueEmpty, Drain, Leave, Finish, Hello, Computed, Durable,
                             HandedBack, StopRequested, Broken, Drained, Goodbye>;

comm::Bytes encode(const Message& message);
/// A malformed message is a bug: both ends are this binary.
Message decode(const comm::Bytes& bytes);

/// Whether a rank hands it to its worker; the rest are for the coordinator.
bool is_for_worker(const Message& message);

}  // namespace moesweep::sweep
