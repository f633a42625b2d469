#pragma once
// macOS leaves a file "._X" beside X (AppleDouble: attributes) on file systems that have no place
// for them: it has X's extension and none of its content.

#include <filesystem>

namespace moesweep {

inline bool is_of_macos(const std::filesystem::path& file) {
  return file.filename().string().starts_with("._");
}

}  // namespace moesweep
