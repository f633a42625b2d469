#pragma once
// What computes, beside the job.

#include <string>

namespace moesweep::run {

/// The same on all ranks and at every start of a sweep: another one may change the last bits of
/// results. Made by whoever starts the run, after the instruction set is pinned.
struct Platform {
  std::string isa;                ///< of the kernels: "AVX2"
  std::string blas;               ///< library, version and kernel
  std::string build;              ///< "moesweep 0.2.0 (GNU 12.2.0)"
  bool blas_is_reentrant = true;  ///< false: its callers wait for each other
};

}  // namespace moesweep::run
