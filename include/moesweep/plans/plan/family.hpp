#pragma once
// What a plan says of the checkpoint that it is for.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/source/family.hpp>

namespace moesweep::plan {

/// One of source::FamilySources; `place` is what errors name, the plan's file.
source::FamilyFacts family_of_plan(const records::Plan& plan, std::string place);

/// source::FamilySources::layers_shown: by the names of its rows.
std::int64_t layers_shown_by(const records::Plan& plan);

/// Name components that mark stacks of experts; {"experts"} for plans of before schema 3.
std::vector<std::string> expert_patterns_of(const records::Plan& plan);

}  // namespace moesweep::plan
