#pragma once
// Signals only set a flag; the main loop looks at it.

#include <moesweep/engine/sweep/coordinator.hpp>

namespace moesweep::run {

/// SIGTERM and SIGINT ask to leave, SIGUSR2 to drain (see run.hpp, install_stop_handlers).
sweep::Stop requested_stop();

/// Ends this process when its parent ends: a rank must not outlive its launcher.
void die_with_parent();

}  // namespace moesweep::run
