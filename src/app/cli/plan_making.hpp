#pragma once
// How a plan that this process writes came about.

#include <moesweep/core/records/plan.hpp>

namespace moesweep::cli {

/// `arguments` is argv. The command is one that a shell reads, with `moesweep` for the program, and
/// of an absolute path its last component alone: plans are handed on, and the folders of whoever
/// made one are nobody's business. The date is that of SOURCE_DATE_EPOCH (seconds since 1970) where
/// that is set, else now; Error(bad_usage) when it is no such number.
records::PlanMaking plan_making(char* const* arguments);

}  // namespace moesweep::cli
