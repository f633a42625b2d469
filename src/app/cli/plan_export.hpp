#pragma once
// `moesweep export --plan FILE --to FORMAT OUT`: a plan for the program that quantizes.

#include <string>

#include "command.hpp"

namespace moesweep::cli {

struct PlanExportCommand {
  std::string plan;          ///< empty: tables are exported
  std::string architecture;  ///< empty: the plan's
  std::string config;        ///< config.json to take the architecture from
  bool allow_unmapped = false;
};

void add_plan_export_options(CLI::App& command, PlanExportCommand& state);

/// Is it a format of plans alone?
bool is_plan_format(std::string_view format);

void export_plan_to(const PlanExportCommand& command, const std::string& format,
                    const std::string& output, bool overwrite, const Context& context);

}  // namespace moesweep::cli
