#include "plan_export.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>
#include <moesweep/model/source/family.hpp>
#include <moesweep/plans/handoff/export_plan.hpp>
#include <moesweep/plans/plan/family.hpp>
#include <moesweep/plans/plan/plan_file.hpp>

#include "plan_file.hpp"

namespace moesweep::cli {
namespace {

source::FamilyFacts family_by_user(const PlanExportCommand& command) {
  if (command.config.empty()) return source::family_named(command.architecture);
  const auto text = checkpoint::config_text_of_file(command.config);
  auto facts = source::family_of_config(source::model_config_from(text, ""), command.config);
  source::require_family(facts);
  return facts;
}

names::Architecture architecture_of(const PlanExportCommand& command, const records::Plan& plan) {
  return source::family_of({.user = family_by_user(command),
                            .plan = plan::family_of_plan(plan, command.plan),
                            .layers_shown = plan::layers_shown_by(plan)});
}

void report(const handoff::PlanExport& made, const std::vector<std::filesystem::path>& written,
            const Context& context) {
  if (!made.unmapped.empty()) {
    spdlog::warn("{} tensors have no place there and are left out, e.g. {}",
                 format_count(static_cast<std::int64_t>(made.unmapped.size())),
                 printable(made.unmapped.front()));
  }
  if (context.json) {
    Json files = Json::array();
    for (const auto& file : written) files.push_back(file.string());
    return print_json({{"files", files}, {"unmapped", made.unmapped}});
  }
  if (context.quiet) return;
  for (const auto& file : written) fmt::print("{}\n", printable(file.string()));
  fmt::print("{}\n", printable_lines(made.how_to_use));
}

}  // namespace

void add_plan_export_options(CLI::App& command, PlanExportCommand& state) {
  command.add_option("--plan", state.plan,
                     "Export this plan of `moesweep allocate`, or the only one of a run directory, "
                     "instead of a run's tables");
  auto* architecture =
      command.add_option("--architecture", state.architecture,
                         fmt::format("Of a plan's tensors, instead of its own: {}",
                                     fmt::join(names::known_architectures(), ", ")));
  command.add_option("--config", state.config, "config.json to take the architecture from")
      ->excludes(architecture);
  command.add_flag("--allow-unmapped", state.allow_unmapped,
                   "Leave out tensors of a plan that the format has no name for");
}

bool is_plan_format(std::string_view format) {
  const auto formats = handoff::plan_formats();
  return std::ranges::find(formats, format) != formats.end();
}

void export_plan_to(const PlanExportCommand& command, const std::string& format,
                    const std::string& output, bool overwrite, const Context& context) {
  const auto plan = plan::read_plan(plan_file(command.plan, "--plan"));
  const auto made =
      handoff::export_plan(plan, architecture_of(command, plan), format, command.allow_unmapped);
  report(made, handoff::write_plan_export(made, output, overwrite), context);
}

}  // namespace moesweep::cli
