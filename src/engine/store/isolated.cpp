#include "isolated.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/resource_limit.hpp>
#include <moesweep/core/base/retried.hpp>
#include <moesweep/core/base/sanitizers.hpp>
#include <moesweep/core/base/text.hpp>

#include "hdf5_call.hpp"
#include "hdf5_handle.hpp"

namespace moesweep::store {
namespace {

constexpr auto bad_file_remedy =
    "the file is damaged or was made to do that: copy it or write it again";
constexpr int pipe_bytes = 1 << 20;

// How a reader ends that could not even say what is wrong.
constexpr int beyond_its_memory = 2;
constexpr int unexpected = 3;
constexpr int refused_by_the_system = 4;  // its pipe, or memory that its own limit would allow

void set_limit(__rlimit_resource resource, rlim_t soft, rlim_t hard) {
  rlimit now{};
  ::getrlimit(resource, &now);
  const rlimit wanted{std::min(soft, now.rlim_max), std::min(hard, now.rlim_max)};
  ::setrlimit(resource, &wanted);
}

// Of addresses, as RLIMIT_AS counts them.
rlim_t mapped_bytes() {
  char text[32] = {};
  const FileDescriptor statm(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  if (!statm || ::read(statm.get(), text, sizeof text - 1) <= 0) return RLIM_INFINITY;
  return static_cast<rlim_t>(std::strtoull(text, nullptr, 10)) *
         static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

/// What a reader may map that takes `bytes` beyond what this process has; nothing where it is not
/// limited so, or the user's own limit is stricter.
std::optional<rlim_t> our_memory_limit(std::int64_t bytes) {
  rlimit now{};
  ::getrlimit(RLIMIT_AS, &now);
  const auto mapped = mapped_bytes();
  if (is_sanitized || mapped == RLIM_INFINITY) return std::nullopt;
  const auto most = mapped + checked_cast<rlim_t>(bytes);
  return now.rlim_cur <= most ? std::nullopt : std::optional(most);
}

/// Whether the limit is ours, not a stricter one that the user has set.
bool limit_memory(std::int64_t bytes) {
  const auto most = our_memory_limit(bytes);
  if (most) set_limit(RLIMIT_AS, *most, *most);
  return most || !is_limited(RLIMIT_AS);
}

// The parent's handlers tell of bugs and end all ranks; to the parent a crash here is an answer.
void restore_signals() {
  std::set_terminate(std::abort);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE, SIGXCPU, SIGXFSZ}) {
    std::signal(signal, SIG_DFL);
  }
  // The parent stops when it is told to, and its reader with it.
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

// The C library says "malloc(): corrupted top size" on its own; the parent says it in one line.
void silence() {
  if (is_sanitized) return;
  const FileDescriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (nowhere) ::dup2(nowhere.get(), STDERR_FILENO);
}

void put_all(int pipe, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = retried([&] { return ::write(pipe, bytes.data(), bytes.size()); });
    if (written <= 0) ::_exit(refused_by_the_system);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

Error beyond_memory(const std::string& file_name, const ReaderLimits& limits, bool limit_is_ours,
                    const Error& refused) {
  if (!limit_is_ours) {
    return Error(ExitCode::io_error, file_name, refused.problem(), refused.remedy());
  }
  return Error(ExitCode::bad_input, file_name,
               fmt::format("takes more than {} to read: {}", format_size(limits.memory_bytes),
                           refused.problem()),
               "no file that was written by this program does: write it again, in smaller chunks");
}

[[noreturn]] void read_in_child(pid_t parent, int pipe, const std::string& file_name,
                                const ReaderLimits& limits,
                                const std::function<void(FrameWriter&)>& read) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(unexpected);  // it died before it could be asked for
  restore_signals();
  silence();
  set_limit(RLIMIT_CORE, 0, 0);
  set_limit(RLIMIT_FSIZE, 0, 0);
  set_limit(RLIMIT_CPU, checked_cast<rlim_t>(limits.cpu_seconds),
            checked_cast<rlim_t>(limits.cpu_seconds) + 1);
  const bool limit_is_ours = limit_memory(limits.memory_bytes);
  FrameWriter out([pipe](std::span<const std::byte> bytes) { put_all(pipe, bytes); });
  try {
    try {
      read(out);
      out.end();
    } catch (const Error& error) {
      out.fail(error);
    } catch (const std::bad_alloc& refused) {
      out.fail(beyond_memory(file_name, limits, limit_is_ours, memory_error(refused)));
    } catch (const std::length_error& refused) {
      out.fail(beyond_memory(file_name, limits, limit_is_ours, memory_error(refused)));
    }
  } catch (const std::bad_alloc&) {
    ::_exit(limit_is_ours ? beyond_its_memory : refused_by_the_system);
  } catch (...) {
    ::_exit(unexpected);
  }
  ::_exit(0);
}

/// A child that is killed and waited for when nobody wants it any more.
class ReaderProcess {
 public:
  ReaderProcess(const std::string& file_name, const ReaderLimits& limits,
                const std::function<void(FrameWriter&)>& read);
  ~ReaderProcess() { end(); }
  ReaderProcess(const ReaderProcess&) = delete;
  ReaderProcess& operator=(const ReaderProcess&) = delete;

  /// As FrameReader asks for it; Error(io_error) where the system fails.
  std::size_t more(std::span<std::byte> out) const;
  /// As waitpid has it; nothing when another part of the process has waited for all children.
  std::optional<int> wait();

 private:
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }

  const std::string& file_name_;
  pid_t pid_ = -1;
  FileDescriptor pipe_;
};

ReaderProcess::ReaderProcess(const std::string& file_name, const ReaderLimits& limits,
                             const std::function<void(FrameWriter&)>& read)
    : file_name_(file_name) {
  FileDescriptor far_end;
  pid_t parent = 0;
  {
    // Also so that no other reader inherits this one's pipe, whose end would then not be seen.
    const Hdf5Call call;
    h5_prepare();
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw errno_error(ExitCode::io_error, file_name, "cannot open a pipe to its reader", errno);
    }
    pipe_ = FileDescriptor(ends[0]);
    far_end = FileDescriptor(ends[1]);
    ::fcntl(far_end.get(), F_SETPIPE_SZ, pipe_bytes);  // or what the system allows
    parent = ::getpid();
    pid_ = ::fork();
    if (pid_ != 0) far_end = FileDescriptor();
  }
  if (pid_ < 0) {
    throw errno_error(ExitCode::io_error, file_name, "cannot start a process to read it", errno);
  }
  if (pid_ > 0) return;
  pipe_ = FileDescriptor();
  read_in_child(parent, far_end.get(), file_name, limits, read);
}

std::size_t ReaderProcess::more(std::span<std::byte> out) const {
  const auto got = retried([&] { return ::read(pipe_.get(), out.data(), out.size()); });
  if (got >= 0) return static_cast<std::size_t>(got);
  throw errno_error(ExitCode::io_error, file_name_, "cannot take it from the process that reads it",
                    errno);
}

std::optional<int> ReaderProcess::wait() {
  int status = 0;
  const auto waited = retried([&] { return ::waitpid(pid_, &status, 0); });
  pid_ = -1;
  return waited < 0 ? std::nullopt : std::optional(status);
}

// HDF5 crashes of bad files and of too little memory. Under a limit of the user's that is stricter
// than ours nobody knows which.
Error crashed(const std::string& file_name, const ReaderLimits& limits,
              const std::string& problem) {
  if (!is_limited(RLIMIT_AS) || our_memory_limit(limits.memory_bytes)) {
    return Error(ExitCode::bad_input, file_name, problem, bad_file_remedy);
  }
  return Error(ExitCode::io_error, file_name, problem + ", which it does when memory is short",
               "raise the limit on memory (ulimit -v) and run the same command again");
}

Error ended_early(const std::string& file_name, const ReaderLimits& limits,
                  std::optional<int> status) {
  const auto bad_file = [&](const std::string& problem) {
    return Error(ExitCode::bad_input, file_name, problem, bad_file_remedy);
  };
  if (status && WIFSIGNALED(*status)) {
    const int signal = WTERMSIG(*status);
    if (signal == SIGXCPU) {
      return bad_file(
          fmt::format("keeps HDF5 busy for more than {} s of CPU time", limits.cpu_seconds));
    }
    if (signal == SIGKILL) {
      return Error(ExitCode::io_error, file_name, "the process that read it was killed",
                   "the machine may be out of memory: run the same command again");
    }
    return crashed(file_name, limits,
                   fmt::format("the HDF5 library crashed on it ({})", ::strsignal(signal)));
  }
  const int code = status && WIFEXITED(*status) ? WEXITSTATUS(*status) : refused_by_the_system;
  if (code == beyond_its_memory) {
    return bad_file(fmt::format("takes more than {} to read", format_size(limits.memory_bytes)));
  }
  if (code == refused_by_the_system) {
    return Error(ExitCode::io_error, file_name, "the process that read it could not hand it over",
                 "the machine may be out of memory: run the same command again");
  }
  return crashed(file_name, limits, "the HDF5 library ended on it");
}

}  // namespace

std::int64_t cpu_seconds_for(std::uint64_t bytes) {
  constexpr std::uint64_t bytes_per_second = std::uint64_t{16} << 20;
  return ReaderLimits{}.cpu_seconds + checked_cast<std::int64_t>(bytes / bytes_per_second);
}

void read_isolated(const std::string& file_name, const ReaderLimits& limits,
                   const std::function<void(FrameWriter&)>& read,
                   const std::function<void(FrameReader&)>& take) {
  ReaderProcess reader(file_name, limits, read);
  FrameReader in([&](std::span<std::byte> out) { return reader.more(out); });
  try {
    take(in);
    in.finish();
  } catch (const BrokenStream& broken) {
    if (broken.why == BrokenStream::Why::makes_no_sense) {
      throw Error(ExitCode::bad_input, file_name, "made the HDF5 library hand back nonsense",
                  bad_file_remedy);
    }
    throw ended_early(file_name, limits, reader.wait());
  }
}

}  // namespace moesweep::store
