#pragma once
// A folder for trials, gone with everything in it at the end of the scope.

#include <filesystem>
#include <string_view>

#include <moesweep/core/base/error.hpp>

namespace moesweep {

class TemporaryFolder {
 public:
  /// Makes `<parent>/<prefix><process>`, a name that nobody else has (temporary_files.hpp), and
  /// removes such folders of processes that were killed.
  /// Error(on_failure), naming the parent, where that is not possible.
  TemporaryFolder(const std::filesystem::path& parent, std::string_view prefix,
                  ExitCode on_failure);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace moesweep
