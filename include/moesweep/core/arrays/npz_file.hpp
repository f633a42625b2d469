#pragma once
// numpy's .npz: a ZIP archive of .npy members.

#include <filesystem>

#include <moesweep/core/arrays/array_file.hpp>

namespace moesweep::arrays {

/// Members that are not .npy are left out. Error(bad_input) for what is no ZIP, for members that
/// are encrypted, packed otherwise than by deflate, or declare more than they can hold; checksums
/// are verified when an array is read.
Arrays open_npz(const std::filesystem::path& path);

}  // namespace moesweep::arrays
