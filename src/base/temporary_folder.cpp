#include <cerrno>
#include <cstdlib>
#include <string>

#include <moesweep/base/temporary_folder.hpp>

namespace moesweep {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder(const fs::path& parent, std::string_view prefix,
                                 ExitCode on_failure) {
  auto pattern = (parent / prefix).string() + "XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw errno_error(on_failure, parent.string(), "cannot be written to", errno);
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace moesweep
