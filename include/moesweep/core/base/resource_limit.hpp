#pragma once
// Limits that the user or a batch system has set for this process: ulimit, setrlimit(2).

#include <sys/resource.h>

namespace moesweep {

/// Whether RLIMIT_AS, RLIMIT_DATA, ... is set here; false where it can't be asked for.
inline bool is_limited(int resource) {
  rlimit limit{};
  return ::getrlimit(static_cast<decltype(RLIMIT_AS)>(resource), &limit) == 0 &&
         limit.rlim_cur != RLIM_INFINITY;
}

}  // namespace moesweep
