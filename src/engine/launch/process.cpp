#include <array>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/engine/launch/process.hpp>

namespace moesweep::launch {
namespace {

constexpr int no_such_program = 127;
constexpr int signal_base = 128;

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

std::string read_all(const FileDescriptor& pipe) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const auto got = ::read(pipe.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    expect(errno == EINTR, "waitpid");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
}

}  // namespace

ProcessResult run_process(std::span<const std::string> arguments) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw errno_error(ExitCode::io_error, arguments.front(), "cannot be started", errno);
  const FileDescriptor out(ends[0]);
  FileDescriptor in(ends[1]);
  SpawnActions actions;
  ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(actions.get(), in.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(actions.get(), in.get(), STDERR_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, argv[0], actions.get(), nullptr, argv.data(), environ);
  if (error == ENOENT) return {no_such_program, "no such program"};
  if (error != 0)
    throw errno_error(ExitCode::io_error, arguments.front(), "cannot be started", error);
  in = FileDescriptor();
  ProcessResult result;
  result.output = read_all(out);
  result.exit_code = wait_for(child);
  return result;
}

}  // namespace moesweep::launch
