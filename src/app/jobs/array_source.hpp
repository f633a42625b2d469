#pragma once
// Arrays of any file that import-cache takes.

#include <filesystem>

#include <moesweep/core/arrays/array_file.hpp>

namespace moesweep::jobs {

/// Arrays of an .npz, of a folder of .npy (`L1/mean.npy` in a subfolder is L1/mean), of a single
/// .npy (named by its file) or of a .safetensors file. Error(bad_input) for everything else and for
/// what is hostile, truncated, big-endian or in Fortran order.
arrays::Arrays open_arrays(const std::filesystem::path& path);

}  // namespace moesweep::jobs
