#pragma once
// Where a call was written. std::source_location does the same, but Clang 14 cannot compile it with
// GCC 12's standard library; these builtins are in both compilers.

#include <cstdint>

namespace moesweep {

struct SourcePlace {
  const char* file;
  std::uint32_t line;
  const char* function;

  /// As a default argument: the place of the call.
  static constexpr SourcePlace current(const char* file = __builtin_FILE(),
                                       std::uint32_t line = __builtin_LINE(),
                                       const char* function = __builtin_FUNCTION()) {
    return {file, line, function};
  }
};

}  // namespace moesweep
