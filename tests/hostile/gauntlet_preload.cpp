// LD_PRELOAD: counts every file call that a program makes below one folder, and at the N-th one
// kills the program, makes the call fail, or cuts it short. tests/hostile/gauntlet.py says at
// which.
//
//   MOESWEEP_GAUNTLET_BELOW   absolute path of the folder; without it the library does nothing
//   MOESWEEP_GAUNTLET_CALLS   only these calls count, e.g. "link,fsync-directory"; all by default
//   MOESWEEP_GAUNTLET_WITHOUT these calls are EOPNOTSUPP, whatever else happens, and never count
//   MOESWEEP_GAUNTLET_LOG     every call, one line "<number> <call> <path>"
//   MOESWEEP_GAUNTLET_AT      number of the call, from 1 on
//   MOESWEEP_GAUNTLET_DO      kill-before, kill-after, kill-middle (half of a write), short (half
//   of a read or write),
//                             or the number of an errno; "+" after it: this call and all that
//                             follow
//
// A process that is forked counts on with what its parent had counted, and takes its parent down
// when it is killed.

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

enum class Effect : std::uint8_t {
  none,
  kill_before,
  kill_after,
  kill_middle,
  cut_short,
  fail,
  unsupported
};

constexpr int most_descriptors = 4096;
constexpr std::size_t most_path = 4096;

struct Plan {
  char below[most_path] = {};
  std::size_t below_length = 0;
  const char* calls = nullptr;
  const char* without = nullptr;
  int log = -1;
  std::int64_t at = 0;
  Effect effect = Effect::none;
  int error_number = 0;
  bool persists = false;
  pid_t program = 0;
};

Plan plan;
std::atomic<std::int64_t> calls{0};
std::array<std::atomic<bool>, most_descriptors> is_below{};
std::array<std::atomic<bool>, most_descriptors> is_directory{};

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

void set_effect(const char* text) {
  const std::size_t length = std::strlen(text);
  plan.persists = length > 0 && text[length - 1] == '+';
  const auto is = [&](const char* name) {
    return std::strncmp(text, name, std::strlen(name)) == 0;
  };
  if (is("kill-before"))
    plan.effect = Effect::kill_before;
  else if (is("kill-after"))
    plan.effect = Effect::kill_after;
  else if (is("kill-middle"))
    plan.effect = Effect::kill_middle;
  else if (is("short"))
    plan.effect = Effect::cut_short;
  else {
    plan.effect = Effect::fail;
    plan.error_number = std::atoi(text);
  }
}

__attribute__((constructor)) void read_plan() {
  const char* below = std::getenv("MOESWEEP_GAUNTLET_BELOW");
  if (below == nullptr || std::strlen(below) >= most_path) return;
  plan.program = ::getpid();
  if (const char* log = std::getenv("MOESWEEP_GAUNTLET_LOG")) {
    plan.log = static_cast<int>(
        ::syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  }
  plan.calls = std::getenv("MOESWEEP_GAUNTLET_CALLS");
  plan.without = std::getenv("MOESWEEP_GAUNTLET_WITHOUT");
  if (const char* at = std::getenv("MOESWEEP_GAUNTLET_AT")) plan.at = std::atoll(at);
  if (const char* effect = std::getenv("MOESWEEP_GAUNTLET_DO")) set_effect(effect);
  std::strcpy(plan.below, below);
  plan.below_length = std::strlen(below);  // last: from here on calls are counted
}

[[noreturn]] void die() {
  ::kill(plan.program, SIGKILL);
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

bool counts(const char* path) {
  if (plan.below_length == 0 || path == nullptr) return false;
  char absolute[2 * most_path];
  if (path[0] != '/') {
    if (::getcwd(absolute, most_path) == nullptr) return false;
    std::strcat(absolute, "/");
    std::strncat(absolute, path, most_path - 1);
    path = absolute;
  }
  if (std::strncmp(path, plan.below, plan.below_length) != 0) return false;
  return path[plan.below_length] == '/' || path[plan.below_length] == '\0';
}

bool counts(int descriptor) {
  return plan.below_length != 0 && descriptor >= 0 && descriptor < most_descriptors &&
         is_below[descriptor];
}

void log_call(std::int64_t number, const char* name, const char* path) {
  char line[most_path + 64];
  const int length =
      std::snprintf(line, sizeof line, "%lld %s %s\n", static_cast<long long>(number), name, path);
  [[maybe_unused]] const auto written =
      ::syscall(SYS_write, plan.log, line, static_cast<std::size_t>(length));
}

/// Whether a list of words with commas between them has this one.
bool lists(const char* words, const char* word) {
  const std::size_t length = std::strlen(word);
  for (const char* at = std::strstr(words, word); at != nullptr; at = std::strstr(at + 1, word)) {
    const bool begins = at == words || at[-1] == ',';
    if (begins && (at[length] == ',' || at[length] == '\0')) return true;
  }
  return false;
}

/// Numbers a call and tells what becomes of it.
Effect effect_of(const char* name, const char* path) {
  if (plan.without != nullptr && lists(plan.without, name)) return Effect::unsupported;
  if (plan.calls != nullptr && !lists(plan.calls, name)) return Effect::none;
  const auto number = ++calls;
  if (plan.log >= 0) log_call(number, name, path);
  if (plan.at == 0 || number < plan.at || (number > plan.at && !plan.persists)) return Effect::none;
  if (plan.effect == Effect::kill_before) die();
  return plan.effect;
}

/// Calls that nothing is half of.
template <typename Call>
auto whole(const char* name, const char* path, bool counted, Call call) -> decltype(call()) {
  const auto effect = counted ? effect_of(name, path) : Effect::none;
  if (effect == Effect::kill_middle) die();
  if (effect == Effect::fail || effect == Effect::unsupported) {
    errno = effect == Effect::fail ? plan.error_number : EOPNOTSUPP;
    if constexpr (std::is_pointer_v<decltype(call())>)
      return nullptr;
    else
      return -1;
  }
  const auto result = call();
  if (effect == Effect::kill_after) die();
  return result;
}

/// Reads and writes of `bytes`.
template <typename Call>
ssize_t divisible(const char* name, int descriptor, std::size_t bytes, bool writes, Call call) {
  const auto effect = counts(descriptor) ? effect_of(name, "") : Effect::none;
  if (effect == Effect::fail) {
    errno = plan.error_number;
    return -1;
  }
  const bool halves =
      bytes > 1 && (effect == Effect::cut_short || (effect == Effect::kill_middle && writes));
  const auto result = call(halves ? bytes / 2 : bytes);
  if (effect == Effect::kill_middle || effect == Effect::kill_after) die();
  return result;
}

int tracked(int descriptor, bool counted, int flags) {
  if (descriptor >= 0 && descriptor < most_descriptors) {
    is_below[descriptor] = counted;
    is_directory[descriptor] = (flags & O_DIRECTORY) != 0;
  }
  return descriptor;
}

bool is_at_folder(int folder, const char* path) {
  return folder == AT_FDCWD || (path != nullptr && path[0] == '/');
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

int open_counted(const char* name, const char* path, int flags, mode_t mode) {
  const bool counted = counts(path);
  return tracked(whole(name, path, counted,
                       [&] { return next<int(const char*, int, ...)>("open")(path, flags, mode); }),
                 counted, flags);
}

int openat_counted(int folder, const char* path, int flags, mode_t mode) {
  const bool counted = is_at_folder(folder, path) && counts(path);
  return tracked(whole("openat", path, counted,
                       [&] {
                         return next<int(int, const char*, int, ...)>("openat")(folder, path, flags,
                                                                                mode);
                       }),
                 counted, flags);
}

FILE* fopen_counted(const char* path, const char* mode) {
  return whole("fopen", path, counts(path),
               [&] { return next<FILE*(const char*, const char*)>("fopen")(path, mode); });
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_counted("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_counted("open", path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return openat_counted(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return openat_counted(folder, path, flags, mode);
}
FILE* fopen(const char* path, const char* mode) {
  return fopen_counted(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  return fopen_counted(path, mode);
}

int close(int descriptor) {
  const bool counted = counts(descriptor);
  if (counted) is_below[descriptor] = false;
  // A close that fails has closed all the same.
  const auto effect = counted ? effect_of("close", "") : Effect::none;
  const int result = static_cast<int>(::syscall(SYS_close, descriptor));
  if (effect == Effect::kill_middle || effect == Effect::kill_after) die();
  if (effect == Effect::fail) {
    errno = plan.error_number;
    return -1;
  }
  return result;
}

ssize_t read(int descriptor, void* to, size_t bytes) {
  return divisible("read", descriptor, bytes, false, [&](size_t n) {
    return next<ssize_t(int, void*, size_t)>("read")(descriptor, to, n);
  });
}
ssize_t pread(int descriptor, void* to, size_t bytes, off_t offset) {
  return divisible("pread", descriptor, bytes, false, [&](size_t n) {
    return next<ssize_t(int, void*, size_t, off_t)>("pread")(descriptor, to, n, offset);
  });
}
ssize_t pread64(int descriptor, void* to, size_t bytes, off64_t offset) {
  return pread(descriptor, to, bytes, offset);
}
ssize_t write(int descriptor, const void* from, size_t bytes) {
  return divisible("write", descriptor, bytes, true, [&](size_t n) {
    return next<ssize_t(int, const void*, size_t)>("write")(descriptor, from, n);
  });
}
ssize_t pwrite(int descriptor, const void* from, size_t bytes, off_t offset) {
  return divisible("pwrite", descriptor, bytes, true, [&](size_t n) {
    return next<ssize_t(int, const void*, size_t, off_t)>("pwrite")(descriptor, from, n, offset);
  });
}
ssize_t pwrite64(int descriptor, const void* from, size_t bytes, off64_t offset) {
  return pwrite(descriptor, from, bytes, offset);
}

int fsync(int descriptor) {
  return whole(counts(descriptor) && is_directory[descriptor] ? "fsync-directory" : "fsync", "",
               counts(descriptor), [&] { return next<int(int)>("fsync")(descriptor); });
}
int fdatasync(int descriptor) {
  return whole("fdatasync", "", counts(descriptor),
               [&] { return next<int(int)>("fdatasync")(descriptor); });
}
int ftruncate(int descriptor, off_t length) {
  return whole("ftruncate", "", counts(descriptor),
               [&] { return next<int(int, off_t)>("ftruncate")(descriptor, length); });
}
int ftruncate64(int descriptor, off64_t length) {
  return ftruncate(descriptor, length);
}

int rename(const char* from, const char* to) {
  return whole("rename", to, counts(to),
               [&] { return next<int(const char*, const char*)>("rename")(from, to); });
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  return whole("renameat2", to, is_at_folder(to_folder, to) && counts(to), [&] {
    return next<int(int, const char*, int, const char*, unsigned)>("renameat2")(
        from_folder, from, to_folder, to, flags);
  });
}
int link(const char* from, const char* to) {
  return whole("link", to, counts(to),
               [&] { return next<int(const char*, const char*)>("link")(from, to); });
}
int symlink(const char* from, const char* to) {
  return whole("symlink", to, counts(to),
               [&] { return next<int(const char*, const char*)>("symlink")(from, to); });
}
int unlink(const char* path) {
  return whole("unlink", path, counts(path),
               [&] { return next<int(const char*)>("unlink")(path); });
}
int unlinkat(int folder, const char* path, int flags) {
  return whole("unlinkat", path, is_at_folder(folder, path) && counts(path),
               [&] { return next<int(int, const char*, int)>("unlinkat")(folder, path, flags); });
}
int remove(const char* path) {
  return whole("remove", path, counts(path),
               [&] { return next<int(const char*)>("remove")(path); });
}
int rmdir(const char* path) {
  return whole("rmdir", path, counts(path), [&] { return next<int(const char*)>("rmdir")(path); });
}
int mkdir(const char* path, mode_t mode) {
  return whole("mkdir", path, counts(path),
               [&] { return next<int(const char*, mode_t)>("mkdir")(path, mode); });
}
DIR* opendir(const char* path) {
  const bool counted = counts(path);
  DIR* const opened =
      whole("opendir", path, counted, [&] { return next<DIR*(const char*)>("opendir")(path); });
  if (opened != nullptr) tracked(::dirfd(opened), counted, O_DIRECTORY);
  return opened;
}
struct dirent* readdir(DIR* folder) {
  return whole("readdir", "", counts(::dirfd(folder)),
               [&] { return next<dirent*(DIR*)>("readdir")(folder); });
}
struct dirent64* readdir64(DIR* folder) {
  return whole("readdir", "", counts(::dirfd(folder)),
               [&] { return next<dirent64*(DIR*)>("readdir64")(folder); });
}
int closedir(DIR* folder) {
  const int descriptor = ::dirfd(folder);
  if (descriptor >= 0 && descriptor < most_descriptors) is_below[descriptor] = false;
  return next<int(DIR*)>("closedir")(folder);
}
char* realpath(const char* path, char* resolved) {
  return whole("realpath", path, counts(path),
               [&] { return next<char*(const char*, char*)>("realpath")(path, resolved); });
}
int stat(const char* path, struct stat* status) {
  return whole("stat", path, counts(path),
               [&] { return next<int(const char*, struct stat*)>("stat")(path, status); });
}
int stat64(const char* path, struct stat64* status) {
  return whole("stat", path, counts(path),
               [&] { return next<int(const char*, struct stat64*)>("stat64")(path, status); });
}
int lstat(const char* path, struct stat* status) {
  return whole("lstat", path, counts(path),
               [&] { return next<int(const char*, struct stat*)>("lstat")(path, status); });
}
int lstat64(const char* path, struct stat64* status) {
  return whole("lstat", path, counts(path),
               [&] { return next<int(const char*, struct stat64*)>("lstat64")(path, status); });
}
int fstat(int descriptor, struct stat* status) {
  return whole("fstat", "", counts(descriptor),
               [&] { return next<int(int, struct stat*)>("fstat")(descriptor, status); });
}
int fstat64(int descriptor, struct stat64* status) {
  return whole("fstat", "", counts(descriptor),
               [&] { return next<int(int, struct stat64*)>("fstat64")(descriptor, status); });
}

}  // extern "C"
