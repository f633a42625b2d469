#include <filesystem>
#include <system_error>

#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/base/system_errors.hpp>

namespace moesweep {

void as_errors(const std::function<void()>& step) {
  try {
    step();
  } catch (const std::filesystem::filesystem_error& error) {
    throw io_error_of(error);
  } catch (const std::system_error& error) {
    const bool no_thread = error.code() == std::errc::resource_unavailable_try_again;
    throw Error(ExitCode::io_error, "operating system",
                (no_thread ? "cannot start a thread: " : "") + error.code().message(),
                no_thread ? "raise the limit of processes (ulimit -u) or use fewer threads" : "");
  }
}

}  // namespace moesweep
