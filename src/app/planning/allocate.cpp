#include <fmt/format.h>

#include "allocate_methods.hpp"
#include "allocation_prior.hpp"

namespace moesweep::planning {

double AllocateReport::bits_per_weight(std::int64_t bytes) const {
  return 8.0 * static_cast<double>(bytes) / static_cast<double>(params);
}

double PlannedSize::measured_share() const {
  return static_cast<double>(params_measured) / static_cast<double>(params_quantized);
}

AllocateReport allocate(const AllocateOptions& options) {
  using Method = void (*)(const AllocationSetting&, AllocateReport&);
  const std::map<std::string, Method> methods = {{"budget", allocate_budget},
                                                 {"uniform", allocate_uniform},
                                                 {"swan", allocate_swan},
                                                 {"floor", allocate_floor}};
  const auto method = methods.find(options.method);
  if (method == methods.end()) {
    throw Error(ExitCode::bad_usage, "--method " + options.method, "is not known",
                "choose budget, uniform, swan or floor");
  }
  auto setting = set_up(options);
  if (setting.problem.modules.empty()) {
    throw Error(ExitCode::bad_input, setting.source.place,
                fmt::format("has no tensor that {} can quantize and no pattern protects",
                            names::runtime_name(options.runtime)),
                "name another --architecture, or protect less");
  }
  AllocateReport report;
  report.with_headers = setting.with_headers;
  report.params = setting.params;
  report.original_bytes = setting.original_bytes;
  method->second(setting, report);
  report.units_done = setting.source.units_done;
  report.units_total = setting.source.units_total;
  report.why_no_swan = why_no_swan(setting);
  report.alphas = alpha_groups(setting);
  const auto uniform = uniform_within(setting, report.size.bytes - setting.undecided_bytes, true);
  compare_methods(setting, uniform, report);
  if (uniform) note_starved_terms(setting, uniform->first, report);
  report.notes.insert(report.notes.begin(), setting.source.notes.begin(),
                      setting.source.notes.end());
  if (!report.with_headers) {
    report.notes.emplace_back("sizes are without file headers, which the runtime's writer adds");
  }
  return report;
}

}  // namespace moesweep::planning
