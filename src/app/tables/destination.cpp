#include "destination.hpp"

#include <moesweep/core/base/paths.hpp>

namespace moesweep::tables {

namespace fs = std::filesystem;

bool means_folder(const fs::path& output) {
  return !output.has_filename() || is_folder(output);
}

}  // namespace moesweep::tables
