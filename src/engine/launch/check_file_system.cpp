#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/temporary_folder.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/engine/launch/check.hpp>
#include <moesweep/engine/launch/process.hpp>

namespace moesweep::launch {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t little_space_bytes = std::int64_t{1} << 30;
constexpr double slow_publication_seconds = 1.0;
constexpr std::int64_t most_stripes = 4;
constexpr long lustre_magic = 0x0BD00BD0;
constexpr long tmpfs_magic = 0x01021994;

struct FileSystemName {
  long magic;
  const char* name;
};
constexpr std::array names = {
    FileSystemName{0xEF53, "ext4"},         FileSystemName{0x58465342, "XFS"},
    FileSystemName{0x9123683E, "Btrfs"},    FileSystemName{0x794C7630, "overlay"},
    FileSystemName{tmpfs_magic, "tmpfs"},   FileSystemName{0x6969, "NFS"},
    FileSystemName{lustre_magic, "Lustre"}, FileSystemName{0x47504653, "GPFS"},
    FileSystemName{0x19830326, "BeeGFS"},   FileSystemName{0x00C36400, "CephFS"},
    FileSystemName{0x2FC12FC1, "ZFS"}};

Check named(std::string name, Verdict verdict, std::string found, std::string remedy = {}) {
  return {std::move(name), verdict, std::move(found), std::move(remedy), ExitCode::io_error};
}

Check check_kind(long magic) {
  const auto* const known = std::find_if(names.begin(), names.end(),
                                         [&](const auto& entry) { return entry.magic == magic; });
  const std::string name =
      known == names.end() ? fmt::format("of unknown type {:#x}", magic) : known->name;
  if (magic == tmpfs_magic) {
    return named("file system", Verdict::warn, name,
                 "it is memory of one node, results are gone with it: use the shared file system");
  }
  return named("file system", Verdict::ok, name);
}

Check check_space(const struct statfs& system) {
  const auto free_bytes = static_cast<std::int64_t>(system.f_bavail) * system.f_bsize;
  const auto found = format_size(free_bytes) + " free";
  if (free_bytes >= little_space_bytes) return named("space", Verdict::ok, found);
  return named("space", Verdict::warn, found, "free some, or choose another file system");
}

Check check_locks(const fs::path& folder) {
  const auto path = folder / "lock";
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (file && ::fcntl(file.get(), F_OFD_SETLK, &lock) == 0)
    return named("file locks", Verdict::ok, "work");
  return named(
      "file locks", Verdict::warn, fmt::format("do not work: {}", std::strerror(errno)),
      "the sweep needs none, but export HDF5_USE_FILE_LOCKING=FALSE before reading results");
}

// A run directory has one owner because link(2) succeeds once.
Check check_links(const fs::path& folder) {
  const auto path = folder / "owner";
  const bool first = publish_file_exclusively(path, "1");
  const bool second = publish_file_exclusively(path, "2");
  if (first && !second) return named("exclusive link", Verdict::ok, "one of two succeeds");
  return named("exclusive link", Verdict::fail, "two owners would not notice each other",
               "choose another file system");
}

// As a segment is published: written, fsynced, renamed, folder fsynced.
Check check_publication(const fs::path& folder) {
  constexpr int times = 5;
  const auto path = folder / "segment";
  const auto begin = Clock::now();
  for (int i = 0; i < times; ++i) publish_file(path, fmt::format("{}", i));
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count() / times;
  if (read_text_file(path) != fmt::format("{}", times - 1)) {
    return named("fsync and rename", Verdict::fail, "a renamed file has the old content",
                 "choose another file system");
  }
  const auto found = fmt::format("{:.1f} ms", 1e3 * seconds);
  if (seconds < slow_publication_seconds) return named("fsync and rename", Verdict::ok, found);
  return named("fsync and rename", Verdict::warn, found, "raise output.flush_seconds");
}

Check check_stripes(const fs::path& directory) {
  const std::array<std::string, 5> command = {"lfs", "getstripe", "-d", "-c", directory.string()};
  const auto result = run_process(command);
  std::int64_t count = 0;
  const auto* const begin = result.output.data();
  const auto [end, error] = std::from_chars(begin, begin + result.output.size(), count);
  if (result.exit_code != 0 || error != std::errc()) {
    return named("Lustre stripes", Verdict::warn, "`lfs getstripe` tells nothing",
                 "have lfs on PATH to check them");
  }
  const auto found = fmt::format("stripe count {}", count);
  if (count >= 0 && count <= most_stripes) return named("Lustre stripes", Verdict::ok, found);
  return named("Lustre stripes", Verdict::warn, found,
               "segments are small: stripe.count = 1 in the cluster profile");
}

Check tried(const char* name, const std::function<Check()>& check) {
  try {
    return check();
  } catch (const Error& error) {
    return named(name, Verdict::fail, error.problem(), error.remedy());
  }
}

}  // namespace

std::vector<Check> check_file_system(const fs::path& directory) {
  struct statfs system {};
  if (::statfs(directory.c_str(), &system) != 0)
    throw errno_error(ExitCode::run_directory, directory.string(), "cannot be looked at", errno);
  const TemporaryFolder trial(directory, ".moesweep-doctor.", ExitCode::run_directory);
  const auto& folder = trial.path();
  std::vector<Check> checks;
  checks.push_back(check_kind(system.f_type));
  checks.push_back(check_space(system));
  checks.push_back(check_locks(folder));
  checks.push_back(tried("exclusive link", [&] { return check_links(folder); }));
  checks.push_back(tried("fsync and rename", [&] { return check_publication(folder); }));
  if (system.f_type == lustre_magic) checks.push_back(check_stripes(directory));
  return checks;
}

}  // namespace moesweep::launch
