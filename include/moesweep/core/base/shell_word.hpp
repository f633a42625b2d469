#pragma once
// Values of users as words of a shell: what a shell reads back is the value, whatever it holds.

#include <string>
#include <string_view>

namespace moesweep {

/// True for ASCII letters, digits and _./:,@%+=-, in any locale: they mean nothing to a shell.
bool is_plain_in_shell(char symbol);

/// One word of a POSIX shell, in single quotes unless it needs none. A NUL byte is a bug.
std::string shell_word(std::string_view value);

}  // namespace moesweep
