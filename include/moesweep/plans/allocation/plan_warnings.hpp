#pragma once
// What whoever uses a plan should know of it.

#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/names/runtime.hpp>
#include <moesweep/model/source/model_config.hpp>
#include <moesweep/plans/allocation/prior.hpp>

namespace moesweep::allocation {

/// What config.json says, and that known architectures predict tokens.
OutputFacts output_facts(const source::ModelConfig& config,
                         const names::Architecture& architecture);

/// A plan without the prior that gives the output head two bits or more fewer than the rest.
std::vector<std::string> warnings_of(const records::Plan& plan, const source::ModelConfig& config,
                                     const names::Architecture& architecture);

}  // namespace moesweep::allocation
