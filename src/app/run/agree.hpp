#pragma once
// Ranks go on together or not at all.

#include <functional>

#include <moesweep/engine/comm/session.hpp>

namespace moesweep::run {

/// Runs `step` on every rank. If it throws an Error (or what std::filesystem throws) on any of
/// them, throws that of the lowest such rank on all, so that one line is printed and every rank
/// ends with the same code.
void agree(comm::Session& session, const std::function<void()>& step);

}  // namespace moesweep::run
