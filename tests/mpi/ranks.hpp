#pragma once
// Tests that run on every rank of one MPI job, in the same order.

#include <cstddef>
#include <string>

#include <moesweep/engine/comm/session.hpp>

namespace moesweep::test {

/// The session of this test program: MPI can be initialised only once a process.
comm::Session& session();

inline int rank() {
  return session().comm().rank().value;
}
inline int ranks() {
  return session().comm().size();
}

/// Returns when every rank has called it.
inline void barrier() {
  session().gather("");
  session().share("");
}

/// The next message; the test's timeout ends a wait for one that never comes.
inline comm::Envelope next_message() {
  while (true) {
    if (auto envelope = session().comm().receive()) return *envelope;
  }
}

}  // namespace moesweep::test
