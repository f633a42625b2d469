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
/// Library, version and kernel of the BLAS, e.g. "OpenBLAS 0.3.21 ... SkylakeX"; "BLAS (library
/// unknown)" when it does not tell.
std::string blas_description();
/// False for an OpenBLAS that must not be called by two threads at once (Debian's serial build):
/// spectra then wait for each other. Remedy: the pthread build (libopenblas0-pthread), which we
/// hold to one thread a call.
bool blas_is_reentrant();
/// Value of the environment variable OPENBLAS_CORETYPE that makes OpenBLAS choose a kernel of the
/// same instruction set, e.g. "Haswell" for "AVX2"; empty where OpenBLAS names none (then leave the
/// variable alone). OpenBLAS reads it when it is loaded, so a program that pins an instruction set
/// has to set it and execute itself again.
std::string blas_coretype_for(const std::string& isa);

}  // namespace moesweep::kernels
