#pragma once
// What an action says to a user.

#include <string>

#include <moesweep/core/base/error.hpp>

namespace moesweep::test {

/// The one line that a user sees, after the exit code: "78 job.toml:6: ...". "accepted" otherwise.
template <typename Action>
std::string complaint(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.exit_code())) + " " + error.what();
  }
  return "accepted";
}

}  // namespace moesweep::test
