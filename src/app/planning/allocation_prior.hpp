#pragma once
// The prior of a plan: set from what is known of the model, reported, and watched.

#include <vector>

#include <moesweep/app/planning/allocate.hpp>
#include <moesweep/plans/allocation/prior.hpp>

#include "allocation_setting.hpp"

namespace moesweep::planning {

/// --prior. Error(bad_usage) unless it is role or none.
bool has_prior(const AllocateOptions& options);

/// Of each tensor; they are mapped already.
void set_prior(AllocationSource& source);

/// A note when no tensor's name says that it counts otherwise than 1.
void note_unknown_roles(AllocationSetting& setting);

/// Of the tensors that a module decides.
std::vector<AlphaGroup> alpha_groups(const AllocationSetting& setting);

/// A note for each term that counts much (by alpha, over the median alpha, or by the prior) and
/// gets more error than under `uniform`, one format for all that takes no more bytes.
void note_starved_terms(const AllocationSetting& setting, const allocation::Decisions& uniform,
                        AllocateReport& report);

}  // namespace moesweep::planning
