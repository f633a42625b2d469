#include "confine.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/model/checkpoint/companion.hpp>

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
                fmt::format("the name '{}' is not a plain path inside the checkpoint", name),
                "name files by their plain name");
  }
}

bool is_within(const fs::path& path, const fs::path& directory) {
  return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first ==
         directory.end();
}

/// Of a file that is named by itself, without a folder.
fs::path folder_or_here(const fs::path& directory) {
  return directory.empty() ? fs::path(".") : directory;
}

std::optional<fs::path> follow(const fs::path& directory, const std::string& name) {
  refuse_escaping_name(directory, name);
  std::error_code error;
  auto target = canonical_path(folder_or_here(directory) / name, error);
  if (error == std::errc::no_such_file_or_directory) return std::nullopt;
  if (!error) return target;
  const auto plain = unreadable(directory / name, error.value(), ExitCode::bad_input);
  if (plain.exit_code() == ExitCode::io_error) throw plain;
  throw Error(ExitCode::bad_input, (directory / name).string(),
              "cannot be followed: " + error.message(),
              "the checkpoint is incomplete, download it again");
}

bool lies_inside(const fs::path& target, const fs::path& directory) {
  std::error_code error;
  const auto root = canonical_path(folder_or_here(directory), error);
  if (error) throw unreadable(directory, error.value(), ExitCode::bad_input);
  if (is_within(target, root)) return true;
  // blobs is not followed itself: a link there could point anywhere.
  const auto snapshots = root.parent_path();
  return snapshots.filename() == "snapshots" &&
         is_within(target, snapshots.parent_path() / "blobs");
}

Error missing_error(const fs::path& directory, const std::string& name) {
  return Error(ExitCode::bad_input, (directory / name).string(), "is missing",
               "the checkpoint is incomplete, download it again");
}

}  // namespace

std::optional<fs::path> find_shard(const fs::path& directory, const std::string& name) {
  return follow(directory, name);
}

fs::path resolve_shard(const fs::path& directory, const std::string& name) {
  if (auto path = find_shard(directory, name)) return std::move(*path);
  throw missing_error(directory, name);
}

std::optional<Companion> find_companion(const fs::path& folder, const std::string& name) {
  auto target = follow(folder, name);
  if (!target) return std::nullopt;
  const bool is_inside = lies_inside(*target, folder);
  return Companion{std::move(*target), is_inside};
}

Error outside_error(const fs::path& folder, const std::string& name, const Companion& companion) {
  return Error(ExitCode::bad_input, (folder / name).string(),
               fmt::format("leads out of the checkpoint, to {}", companion.path.string()),
               "only weights are read from elsewhere: put a copy of it in its place if you trust "
               "what it leads to");
}

fs::path resolve_companion(const fs::path& directory, const std::string& name) {
  auto found = find_companion(directory, name);
  if (!found) throw missing_error(directory, name);
  if (!found->is_inside) throw outside_error(directory, name, *found);
  return std::move(found->path);
}

std::optional<std::string> read_companion(const fs::path& folder, const std::string& name) {
  const auto found = find_companion(folder, name);
  if (!found) return std::nullopt;
  if (!found->is_inside) throw outside_error(folder, name, *found);
  const auto shown = folder / name;
  const auto file = open_for_reading(found->path);
  if (file_size(file, shown) > most_companion_text) {
    throw Error(ExitCode::bad_input, shown.string(), "is larger than 64 MiB");
  }
  return read_text(file, shown);
}

}  // namespace moesweep::checkpoint
