#pragma once
// The instruction set that the kernels dispatch to at run time (Google Highway) and the BLAS beside
// it.

#include <string>
#include <vector>

namespace moesweep::kernels {

/// Name of the target in use: "AVX3_ZEN4", "AVX2", "NEON", "SCALAR", ...
std::string active_isa();
/// All targets that this machine and this build have, best first.
std::vector<std::string> available_isas();
/// Pins one target for the whole process: "native" keeps the best. Call before any kernel and
/// before threads start. Throws Error(bad_job) naming the targets that exist when `name` is none of
/// them.
void pin_isa(const std::string& name);
/// Library, version and kernel of the BLAS, e.g. "OpenBLAS 0.3.21 ... SkylakeX".
std::string blas_description();

}  // namespace moesweep::kernels
