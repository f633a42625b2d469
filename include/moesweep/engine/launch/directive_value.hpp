#pragma once
// Values of users on the #SBATCH lines of a batch script.

#include <string>
#include <string_view>

namespace moesweep::launch {

/// A value on a `#SBATCH` line, where sbatch splits at blanks and reads quotes, backslashes and
/// `#`. No line breaks: a bug.
std::string directive_value(std::string_view value);

}  // namespace moesweep::launch
