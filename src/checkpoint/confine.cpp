#include "confine.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <moesweep/base/error.hpp>

#include "control_characters.hpp"

namespace moesweep::checkpoint {
namespace {

namespace fs = std::filesystem;

void refuse_escaping_name(const fs::path& directory, const std::string& name) {
  const fs::path path(name);
  const bool steps = std::any_of(path.begin(), path.end(), [](const fs::path& component) {
    return component == "." || component == ".." || component.empty();
  });
  if (name.empty() || path.is_absolute() || steps || has_control_characters(name)) {
    throw Error(ExitCode::bad_input, directory.string(),
                fmt::format("shard name '{}' is not a plain path inside the checkpoint", name),
                "name shards by their file name");
  }
}

bool is_within(const fs::path& path, const fs::path& directory) {
  return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first ==
         directory.end();
}

}  // namespace

std::optional<fs::path> find_inside(const fs::path& directory, const std::string& name) {
  refuse_escaping_name(directory, name);
  std::error_code error;
  const auto root = fs::canonical(directory, error);
  if (error) throw Error(ExitCode::bad_input, directory.string(), error.message());
  const auto target = fs::canonical(directory / name, error);
  if (error == std::errc::no_such_file_or_directory) return std::nullopt;
  if (error) {
    throw Error(ExitCode::bad_input, (directory / name).string(),
                "cannot be followed: " + error.message(),
                "the checkpoint is incomplete, download it again");
  }
  if (is_within(target, root)) return target;
  // blobs is not followed itself: a link there could point anywhere.
  const auto snapshots = root.parent_path();
  if (snapshots.filename() == "snapshots" && is_within(target, snapshots.parent_path() / "blobs")) {
    return target;
  }
  throw Error(ExitCode::bad_input, (directory / name).string(),
              fmt::format("leads out of the checkpoint, to {}", target.string()),
              "give the directory that holds the files themselves");
}

fs::path resolve_inside(const fs::path& directory, const std::string& name) {
  if (auto path = find_inside(directory, name)) return std::move(*path);
  throw Error(ExitCode::bad_input, (directory / name).string(), "is missing",
              "the checkpoint is incomplete, download it again");
}

}  // namespace moesweep::checkpoint
