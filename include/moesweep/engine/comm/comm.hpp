#pragma once
// The transport port: four verbs (send, receive, broadcast, clock). The sweep engine is written
// against this and never sees MPI; tests drive it with `RecordingComm`.

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include <moesweep/core/base/ids.hpp>

namespace moesweep::comm {

using Bytes = std::vector<std::byte>;

inline constexpr Rank coordinator_rank{0};

struct Envelope {
  Rank from;
  Bytes message;
};

class Comm {
 public:
  virtual ~Comm() = default;
  virtual Rank rank() const = 0;
  virtual int size() const = 0;

  /// Queues a message and returns at once. Messages between two ranks arrive in the order sent; a
  /// rank may send to itself.
  virtual void send(Rank to, Bytes message) = 0;
  /// send() to every rank, the caller included.
  virtual void broadcast(const Bytes& message) = 0;
  /// The next message that has arrived, if any. Never blocks.
  virtual std::optional<Envelope> receive() = 0;
  /// Seconds on a clock that never goes back.
  virtual double now() const = 0;
};

/// One rank that talks to itself.
std::unique_ptr<Comm> make_local_comm();

}  // namespace moesweep::comm
