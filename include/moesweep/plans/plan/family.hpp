#pragma once
// What a plan says of the checkpoint that it is for.

#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/source/family.hpp>

namespace moesweep::plan {

/// One of source::FamilySources; `place` is what errors name, the plan's file.
source::FamilyFacts family_of_plan(const records::Plan& plan, std::string place);

/// Name components that mark stacks of experts: {"experts"} where the plan says none.
std::vector<std::string> expert_patterns_of(const records::Plan& plan);

}  // namespace moesweep::plan
