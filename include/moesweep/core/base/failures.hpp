#pragma once
// What the system refuses (memory, threads, files) is something that the user can mend, wherever in
// the program it happens: one line, ExitCode::io_error, and what was asked for.

#include <cstddef>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include <moesweep/core/base/error.hpp>

namespace moesweep {

/// What operator new throws in this program; it tells how much was asked for.
class OutOfMemory final : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::size_t bytes) noexcept;
  /// "out of memory: 1.50 GiB were asked for"
  const char* what() const noexcept override { return text_; }

 private:
  char text_[64];
};

/// Out of memory as an Error(io_error); containers throw std::length_error of sizes that no memory
/// has.
Error memory_error(const std::bad_alloc& refused);
Error memory_error(const std::length_error& refused);

/// What to do where a thread could not start, by what the process lacks: memory for its stack, or
/// the right to one more.
std::string remedy_for_threads();
/// What std::thread and others of the standard library were refused, with that remedy.
Error system_error_of(const std::system_error& refused);

/// Runs `step` and hands `failed` every Error, and as Error(io_error) what the system refused:
/// std::bad_alloc, std::length_error (sizes beyond any memory), std::system_error (threads) and
/// filesystem_error. Other exceptions are bugs and pass without unwinding, so that their stack
/// trace shows where they were thrown.
void catch_failures(const std::function<void()>& step,
                    const std::function<void(const Error&)>& failed);

}  // namespace moesweep
