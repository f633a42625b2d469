#pragma once

#include <string>

#include <moesweep/app/planning/allocate.hpp>

#include "command.hpp"

namespace moesweep::cli {

/// By role and layer, the Pareto curve, the gap, and what other methods make of as many bytes.
/// `written` is the plan's file, empty when there is none.
void print_report(const planning::AllocateReport& report, const std::string& written);
Json report_as_json(const planning::AllocateReport& report, const std::string& written);

}  // namespace moesweep::cli
