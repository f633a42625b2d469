#pragma once

namespace moesweep::cli {

/// A bug anywhere prints a stack trace and ends every rank with code 70.
void install_crash_handlers();

}  // namespace moesweep::cli
