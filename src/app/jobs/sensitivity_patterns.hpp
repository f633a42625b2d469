#pragma once
// Patterns of a sensitivity job that match nothing in its checkpoint.

#include <string>
#include <vector>

#include <moesweep/core/config/settings.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>

namespace moesweep::jobs {

/// Error(bad_job) for a pattern of checkpoint.expert_patterns that is no component of any name, and
/// for one of sensitivity.protected or sensitivity.sensitive that --set gave and that is in no
/// name. Patterns of the default lists may match nothing: most models lack most of them.
void require_matching_patterns(const config::Settings& job,
                               const checkpoint::Checkpoint& checkpoint);

/// A line for each pattern of sensitivity.protected and sensitivity.sensitive that is in no name
/// and in no default list: job files are written for many models.
std::vector<std::string> patterns_without_match(const config::Settings& job,
                                                const checkpoint::Checkpoint& checkpoint);

}  // namespace moesweep::jobs
