#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/retried.hpp>

namespace moesweep {
namespace {

namespace fs = std::filesystem;

// Where nothing is, the status is "not found" and the error code tells why: that is no failure.
template <typename Look>
fs::file_status status_by(const Look& look, const fs::path& path, ExitCode forbidden) {
  fs::file_status status;
  const auto error = retried_with_code([&](std::error_code& code) {
    status = look(path, code);
    if (status.type() == fs::file_type::not_found) code.clear();
  });
  if (error) throw unreadable(path, error.value(), forbidden);
  return status;
}

bool is_nothing_there(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR;
}

fs::path folder_or_here(const fs::path& folder) {
  return folder.empty() ? fs::path(".") : folder;
}

// `wanted` is the folder that messages are about.
void make_folders_for(const fs::path& wanted, const fs::path& folder, ExitCode forbidden) {
  if (folder.empty() || is_folder(folder, forbidden)) return;
  const auto parent = folder.parent_path();
  if (parent != folder) make_folders_for(wanted, parent, forbidden);
  if (retried([&] { return ::mkdir(folder.c_str(), 0777); }) == 0) return;
  const int error_number = errno;
  if (error_number != EEXIST) throw not_created(wanted, error_number, forbidden);
  // Another process made it, or an answer was lost.
  if (is_folder(folder, forbidden)) return;
  const auto what =
      folder == wanted ? std::string("exists and") : "cannot be created: " + folder.string();
  throw Error(forbidden, wanted.string(), what + " is not a folder", "name another");
}

}  // namespace

fs::file_status status_of(const fs::path& path, ExitCode forbidden) {
  const auto look = [](const fs::path& at, std::error_code& error) {
    return fs::status(at, error);
  };
  return status_by(look, path, forbidden);
}

fs::file_status link_status_of(const fs::path& path, ExitCode forbidden) {
  const auto look = [](const fs::path& at, std::error_code& error) {
    return fs::symlink_status(at, error);
  };
  return status_by(look, path, forbidden);
}

bool is_folder(const fs::path& path, ExitCode forbidden) {
  return fs::is_directory(status_of(path, forbidden));
}

std::optional<std::uint64_t> size_of_file_at(const fs::path& path, ExitCode forbidden) {
  struct stat status {};
  if (retried([&] { return ::stat(path.c_str(), &status); }) != 0) {
    if (is_nothing_there(errno)) return std::nullopt;
    throw unreadable(path, errno, forbidden);
  }
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return checked_cast<std::uint64_t>(status.st_size);
}

fs::path canonical_path(const fs::path& path, std::error_code& error) {
  fs::path canonical;
  error = retried_with_code([&](std::error_code& code) { canonical = fs::canonical(path, code); });
  return canonical;
}

std::vector<std::string> names_in_folder(const fs::path& folder, ExitCode forbidden) {
  std::vector<std::string> names;
  // A listing that fails in the middle begins again: its place is lost.
  const auto error = retried_with_code([&](std::error_code& code) {
    names.clear();
    for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
         entry.increment(code)) {
      names.push_back(entry->path().filename().string());
    }
  });
  if (error) throw unreadable(folder, error.value(), forbidden);
  std::ranges::sort(names);
  return names;
}

std::vector<fs::path> paths_below(const fs::path& folder, ExitCode forbidden) {
  std::vector<fs::path> paths;
  std::vector<fs::path> to_list = {folder};
  while (!to_list.empty()) {
    const auto listed = std::move(to_list.back());
    to_list.pop_back();
    for (const auto& name : names_in_folder(listed, forbidden)) {
      auto path = listed / name;
      const bool is_inner = fs::is_directory(link_status_of(path, forbidden));
      (is_inner ? to_list : paths).push_back(std::move(path));
    }
  }
  std::ranges::sort(paths);
  return paths;
}

void make_folders(const fs::path& folder, ExitCode forbidden) {
  make_folders_for(folder, folder, forbidden);
}

void require_folder_of(const fs::path& file) {
  const auto folder = folder_or_here(file.parent_path());
  if (is_folder(folder)) return;
  throw Error(ExitCode::bad_usage, folder.string(), "is not a folder", "create it first");
}

}  // namespace moesweep
