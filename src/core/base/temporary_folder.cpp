#include <cerrno>

#include <sys/stat.h>

#include <moesweep/core/base/retried.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/core/base/temporary_folder.hpp>

namespace moesweep {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder(const fs::path& parent, std::string_view prefix,
                                 ExitCode on_failure) {
  remove_abandoned(parent, prefix);
  const auto path = parent / temporary_name(prefix);
  if (retried([&] { return ::mkdir(path.c_str(), 0700); }) != 0) {
    throw errno_error(on_failure, parent.string(), "cannot be written to", errno);
  }
  path_ = path;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace moesweep
