#include "exclusive_rename.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/retried.hpp>
#include <moesweep/core/base/temporary_files.hpp>

namespace moesweep {
namespace {

namespace fs = std::filesystem;

/// Holds the only right to create a name, for as long as it lives.
class Claim {
 public:
  Claim(const fs::path& from, const fs::path& to)
      : path_(to.parent_path() / (std::string(claim_prefix) + to.filename().string())) {
    const auto file = open();
    const auto maker = from.filename().string();
    // Without it a claim is abandoned only when it stands still.
    [[maybe_unused]] const auto written = ::write(file.get(), maker.data(), maker.size());
  }
  ~Claim() { ::unlink(path_.c_str()); }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

 private:
  FileDescriptor open() const {
    using Clock = std::chrono::steady_clock;
    constexpr auto longest_held = std::chrono::seconds(10);
    constexpr auto look_every = std::chrono::milliseconds(20);
    auto give_up = Clock::now() + longest_held;
    for (;;) {
      if (auto file = open_descriptor(path_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)) return file;
      if (errno != EEXIST) throw io_error(path_, "cannot create", errno);
      if (Clock::now() >= give_up || maker_of_temporary_at(path_) == Liveness::dead) {
        ::unlink(path_.c_str());
        give_up = Clock::now() + longest_held;
      } else {
        std::this_thread::sleep_for(look_every);
      }
    }
  }

  fs::path path_;
};

bool rename_claimed(const fs::path& from, const fs::path& to) {
  const Claim claim(from, to);
  if (link_status_of(to).type() != fs::file_type::not_found) return false;
  if (retried([&] { return ::rename(from.c_str(), to.c_str()); }) == 0) return true;
  throw io_error(to, "cannot rename into place", errno);
}

bool has_no_exclusive_rename(int error_number) {
  return error_number == EINVAL || error_number == ENOSYS || error_number == EOPNOTSUPP;
}

}  // namespace

bool rename_exclusively(const fs::path& from, const fs::path& to) {
  const auto renamed = retried(
      [&] { return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE); });
  if (renamed == 0) return true;
  if (errno == EEXIST) return false;
  if (has_no_exclusive_rename(errno)) return rename_claimed(from, to);
  throw io_error(to, "cannot rename into place", errno);
}

}  // namespace moesweep
