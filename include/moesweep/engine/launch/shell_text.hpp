#pragma once
// Values of users as parts of a shell script: what a shell or sbatch reads back is the value,
// whatever it holds.

#include <string>
#include <string_view>

namespace moesweep::launch {

/// One word of a POSIX shell, in single quotes unless it needs none. A NUL byte is a bug.
std::string shell_word(std::string_view value);

/// A value on a `#SBATCH` line, where sbatch splits at blanks and reads quotes, backslashes and
/// `#`. No line breaks: a bug.
std::string directive_value(std::string_view value);

}  // namespace moesweep::launch
