#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/engine/store/results_turn.hpp>

namespace moesweep::store {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::string_view prefix = "results-";
constexpr std::string_view look = ".look";
constexpr std::string_view made = ".made";
// As long as one that was stopped may hold up the others. What it does when it wakes up is noticed
// by itself, as without locks.
constexpr std::chrono::seconds longest_wait(60);

fs::path file_of(const fs::path& directory, std::int64_t number, std::string_view suffix) {
  return directory / fmt::format("{}{:06}{}", prefix, number, suffix);
}

/// 0 for another file.
std::int64_t number_of(std::string_view name, std::string_view suffix) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return 0;
  name.remove_prefix(prefix.size());
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_ours = error == std::errc() && std::string_view(rest) == suffix && number > 0;
  return is_ours ? number : 0;
}

std::int64_t last_made(const fs::path& directory) {
  std::int64_t last = 0;
  for (const auto& name : names_in_folder(directory)) last = std::max(last, number_of(name, made));
  return last;
}

std::int64_t last_taken(const fs::path& directory) {
  std::int64_t last = 0;
  for (const auto& name : names_in_folder(directory)) {
    last = std::max({last, number_of(name, look), number_of(name, made)});
  }
  return last;
}

// Empty, and not synced: numbers must only be unique among processes that live.
bool create_exclusively(const fs::path& path) {
  const auto file = open_descriptor(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (file) return true;
  if (errno == EEXIST) return false;
  throw errno_error(ExitCode::io_error, path.string(), "cannot create", errno);
}

void remove_before(const fs::path& directory, std::int64_t number) {
  for (const auto& name : names_in_folder(directory)) {
    const auto before = std::max(number_of(name, look), number_of(name, made));
    std::error_code ignored;
    if (before > 0 && before < number) fs::remove(directory / name, ignored);
  }
}

/// Held while it exists, where the file system has locks: flock(2) becomes a lock of the server on
/// NFS, and ends with the process everywhere.
class Alone {
 public:
  explicit Alone(const fs::path& directory)
      : file_(open_descriptor(directory / "results.lock",
                              O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)) {
    const auto give_up = Clock::now() + longest_wait;
    while (file_ && ::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      const bool is_taken = errno == EWOULDBLOCK || errno == EINTR;
      if (!is_taken || Clock::now() >= give_up) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

 private:
  FileDescriptor file_;
};

}  // namespace

ResultsTurn::ResultsTurn(fs::path lock_directory) : lock_directory_(std::move(lock_directory)) {
  number_ = last_taken(lock_directory_) + 1;
  while (!create_exclusively(file_of(lock_directory_, number_, look))) ++number_;
}

ResultsTurn::~ResultsTurn() {
  std::error_code ignored;
  if (!is_made_) fs::remove(file_of(lock_directory_, number_, look), ignored);
}

// The number is claimed first: a kill between the two keeps out older results, never newer ones.
bool ResultsTurn::publish(const std::function<void()>& write) {
  const Alone alone(lock_directory_);
  if (last_made(lock_directory_) > number_) return false;
  const auto claim = file_of(lock_directory_, number_, made);
  create_exclusively(claim);
  try {
    write();
  } catch (...) {
    std::error_code ignored;
    fs::remove(claim, ignored);
    throw;
  }
  is_made_ = true;
  remove_before(lock_directory_, number_);
  return last_made(lock_directory_) == number_;
}

}  // namespace moesweep::store
