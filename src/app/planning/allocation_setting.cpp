#include "allocation_setting.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/model/source/family.hpp>
#include <moesweep/plans/plan/plan_file.hpp>
#include <moesweep/plans/written/layout.hpp>

#include "allocation_formats.hpp"
#include "allocation_matches.hpp"
#include "allocation_prior.hpp"
#include "allocation_swept.hpp"

namespace moesweep::planning {
namespace {

using formats::Encoding;

constexpr std::int32_t kept_bits = 16;

bool has(const std::vector<std::int32_t>& values, std::int32_t value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

/// What is left of the formats with these bits and groups. Error(bad_usage) for bits or groups that
/// none has.
std::vector<Encoding> allowed_formats(const std::vector<Encoding>& all,
                                      const AllocateOptions& options) {
  std::set<std::int32_t> bits, group_sizes;
  for (const auto& format : all) {
    bits.insert(format.bits);
    group_sizes.insert(format.group_size);
  }
  for (const auto value : options.bits) {
    if (value == kept_bits || bits.contains(value)) continue;
    throw Error(ExitCode::bad_usage, fmt::format("--bits {}", value), "no format has them",
                fmt::format("there are {} and 16, which keeps", fmt::join(bits, ", ")));
  }
  for (const auto value : options.group_sizes) {
    if (group_sizes.contains(value)) continue;
    throw Error(ExitCode::bad_usage, fmt::format("--group-size {}", value), "no format has it",
                fmt::format("there are {}", fmt::join(group_sizes, ", ")));
  }
  std::vector<Encoding> allowed;
  for (const auto& format : all) {
    const bool bits_fit = options.bits.empty() || has(options.bits, format.bits);
    const bool group_fits =
        options.group_sizes.empty() || has(options.group_sizes, format.group_size);
    if (bits_fit && group_fits) allowed.push_back(format);
  }
  return allowed;
}

allocation::Constraints constraints_of(const AllocateOptions& options) {
  allocation::Constraints constraints;
  constraints.runtime_formats = formats_of(options.runtime, options.quantizers);
  const auto allowed = allowed_formats(constraints.runtime_formats, options);
  // Uniform's bits and group and SWAN's group are wishes: what does not fit becomes the nearest.
  if (options.method == "uniform") {
    constraints.formats = constraints.runtime_formats;
  } else if (options.method == "swan") {
    auto any_group = options;
    any_group.group_sizes.clear();
    constraints.formats = allowed_formats(constraints.runtime_formats, any_group);
    constraints.may_keep = options.bits.empty() || has(options.bits, kept_bits);
  } else {
    constraints.formats = allowed;
    constraints.may_keep = options.bits.empty() || has(options.bits, kept_bits);
  }
  constraints.protected_patterns = options.protect;
  constraints.min_bits = parse_min_bits(options.min_bits);
  return constraints;
}

/// False when mlx-lm makes something of a tensor that only it can write: sizes are not to the byte
/// then.
bool map_tensors(AllocationSource& source, names::Runtime runtime) {
  bool can_be_written = true;
  for (auto& tensor : source.tensors) {
    auto mapping = names::map_tensor(runtime, source.architecture, tensor.name, tensor.shape);
    tensor.fate = mapping.fate;
    tensor.quantizable = mapping.quantizable;
    tensor.reason = std::move(mapping.reason);
    tensor.decision = names::tied_module(runtime, source.architecture, tensor.name);
    for (const auto& target : mapping.targets) {
      can_be_written = can_be_written && target.transform != names::Transform::other;
      if (runtime == names::Runtime::gguf && is_widened_in_gguf(target, tensor.shape)) {
        tensor.kept_element_bytes = dtype_bytes(Dtype::f32);
      }
    }
  }
  return can_be_written;
}

/// Names decide only where no family says what its tensors are.
void take_quantizable(AllocationSource& source, const AllocateOptions& options) {
  if (options.quantizable.empty()) return;
  const auto& family = source.architecture.model_type;
  if (family != "generic") {
    throw Error(ExitCode::bad_usage, "--quantizable " + options.quantizable.front(),
                fmt::format("is for names that are not known, and those of {} are", family),
                "leave it out, or take names as they are with --architecture generic");
  }
  if (options.quantizable.size() > plan::most_patterns) {
    throw Error(ExitCode::bad_usage, "--quantizable",
                fmt::format("is given {} times, more than {}", options.quantizable.size(),
                            plan::most_patterns),
                "name several tensors with one glob");
  }
  source.architecture.quantizable = options.quantizable;
}

/// Counts tensors and names the first.
struct Counted {
  std::int64_t count = 0;
  std::int64_t params = 0;
  std::string first;
  void add(const allocation::Tensor& tensor) {
    if (count++ == 0) first = printable(tensor.name);
    params += tensor.params();
  }
  std::string text() const {
    return fmt::format("{} tensors ({}, ...)", format_count(count), first);
  }
};

bool needs_errors(const AllocationSetting& setting) {
  return setting.options.method == "budget" || setting.options.method == "floor";
}

/// A matrix that generic could store quantized but for what it is called.
bool is_kept_for_its_name(const allocation::Tensor& tensor) {
  return tensor.reason == names::not_called_weight && is_floating_point(tensor.dtype) &&
         tensor.role != "bias" && tensor.role != "norm";
}

/// "model.layers.0.mlp.experts.w1" -> "*.experts.w1" where experts are named, else all indices of
/// the name as wildcards.
std::string glob_for(const std::string& name) {
  const auto experts = name.rfind(".experts.");
  if (experts != std::string::npos && names::expert_of(name) < 0) return "*" + name.substr(experts);
  std::string glob;
  bool is_index = false;
  for (const char c : names::pattern_of(name)) {
    if (c == '{') glob += '*';
    is_index = c == '{' || (is_index && c != '}');
    if (!is_index && c != '}') glob += c;
  }
  return glob;
}

/// Said where it matters: of much of the model.
void note_names(const Counted& kept, AllocationSetting& setting) {
  constexpr double much = 0.01;
  const auto share = static_cast<double>(kept.params) / static_cast<double>(setting.params);
  if (kept.count == 0 || share < much) return;
  setting.source.notes.push_back(fmt::format(
      "{} with {:.1f} % of the parameters are kept, as their names do not end in .weight; "
      "--quantizable '{}' lets those be quantized that a glob names",
      kept.text(), 100.0 * share, glob_for(kept.first)));
}

void note_what_is_kept(AllocationSetting& setting) {
  Counted unmapped, experts, unmeasured, not_called_weight;
  bool any_measured = false;
  for (const auto& tensor : setting.problem.tensors) {
    any_measured = any_measured || !tensor.sse.empty();
    if (tensor.fate == names::Fate::unmapped) unmapped.add(tensor);
    const bool kept = tensor.fate == names::Fate::mapped && !tensor.quantizable;
    if (kept && is_kept_for_its_name(tensor)) {
      not_called_weight.add(tensor);
    } else if (kept && tensor.role == "expert" && tensor.shape.size() > 1) {
      experts.add(tensor);
    }
    if (tensor.fate == names::Fate::mapped && tensor.quantizable && tensor.sse.empty()) {
      unmeasured.add(tensor);
    }
  }
  auto& notes = setting.source.notes;
  if (unmapped.count > 0) {
    notes.push_back(fmt::format("{} have no known name in {}: counted as kept", unmapped.text(),
                                names::runtime_name(setting.options.runtime)));
  }
  note_names(not_called_weight, setting);
  if (experts.count > 0) {
    notes.push_back(fmt::format("{} of experts are kept: {} of {} cannot hold them quantized",
                                experts.text(), names::runtime_name(setting.options.runtime),
                                setting.source.architecture.model_type));
  }
  // Of an inventory nothing is.
  if (any_measured && unmeasured.count > 0) {
    notes.push_back(
        fmt::format("{} were not measured: {}", unmeasured.text(),
                    needs_errors(setting) ? "kept" : "what quantizing them costs is not known"));
  }
}

/// What options ask for has to have been swept; what they leave open is taken from what was.
void settle_formats(AllocationSetting& setting, allocation::Constraints& constraints) {
  const auto& options = setting.options;
  const auto& formats = constraints.runtime_formats;
  require_swept(options, formats, setting.swept);
  if (!options.group_sizes.empty()) {
    setting.group_size = options.group_sizes.front();
  } else {
    setting.group_size = swept_group(formats, setting.swept, 0, setting.group_size);
  }
  constraints.fixed = role_formats(options, formats, setting.swept, setting.group_size);
}

/// Kept, as no format was swept that has so many bits.
void note_min_bits(AllocationSetting& setting) {
  const auto& constraints = setting.problem.constraints;
  if (setting.swept.empty() || !needs_errors(setting)) return;
  for (const auto& [role, bits] : constraints.min_bits) {
    std::set<Encoding> enough;
    for (const auto& format : constraints.runtime_formats) {
      if (format.bits >= bits) enough.insert(format);
    }
    const auto is_swept = [&](const Encoding& format) { return setting.swept.contains(format); };
    if (enough.empty() || std::ranges::any_of(enough, is_swept)) continue;
    setting.source.notes.push_back(
        fmt::format("--min-bits {}={}: no swept format has so many bits, the role is kept; to "
                    "have one, {}",
                    role, bits, how_to_measure({*enough.begin()}, setting.swept)));
  }
}

void count_sizes(AllocationSetting& setting) {
  const auto& problem = setting.problem;
  for (std::size_t i = 0; i < problem.tensors.size(); ++i) {
    const auto& tensor = problem.tensors[i];
    if (tensor.fate == names::Fate::dropped) continue;
    if (tensor.role != "buffer") setting.params += tensor.params();
    setting.original_bytes += tensor.bytes();
    if (!problem.kept_because[i].empty()) setting.undecided_bytes += tensor.kept_bytes();
  }
}

}  // namespace

AllocationSetting set_up(const AllocateOptions& options) {
  AllocationSetting setting;
  setting.options = options;
  auto constraints = constraints_of(options);
  auto alpha = parse_alphas(options.alpha);
  alpha.has_prior = has_prior(options);
  parse_roles(options.roles);  // mistakes before anything is read
  setting.source = open_allocation_source(options.source, options.architecture);
  if (!options.architecture.empty()) require_fit(setting.source, options.runtime);
  take_quantizable(setting.source, options);
  const bool can_be_written = map_tensors(setting.source, options.runtime);
  set_prior(setting.source);
  setting.swept = swept_formats(setting.source.tensors);
  settle_formats(setting, constraints);
  setting.with_headers =
      options.runtime == names::Runtime::mlx && can_be_written &&
      std::all_of(constraints.runtime_formats.begin(), constraints.runtime_formats.end(),
                  [](const Encoding& format) {
                    return !formats::format_named(format.quantizer).words.mlx_mode.empty();
                  });
  setting.problem = allocation::make_problem(std::move(setting.source.tensors),
                                             std::move(constraints), alpha, stored_bytes);
  require_matches(setting, alpha);
  count_sizes(setting);
  note_what_is_kept(setting);
  note_min_bits(setting);
  note_unknown_roles(setting);
  return setting;
}

records::Plan plan_of(const AllocationSetting& setting, const allocation::Decisions& decisions) {
  // Only what config.json says: what names show, the plan's rows show too.
  const auto family = source::family_of_config(setting.source.config);
  records::Plan plan;
  plan.method = setting.options.method;
  plan.runtime = names::runtime_name(setting.options.runtime);
  plan.architecture = setting.source.architecture.model_type;
  plan.source_headers = checkpoint::headers_hash(setting.source.checkpoint).hex();
  plan.prior = setting.options.prior;
  plan.quantizable = setting.options.quantizable;
  plan.layers = family.layers;
  plan.experts = family.experts;
  plan.tied_embeddings = family.tied_embeddings;
  plan.expert_patterns = setting.source.expert_patterns;
  plan.source = identity_of(setting.source);
  plan.made = setting.options.made;
  plan.rows = allocation::plan_rows(setting.problem, decisions);
  for (const auto& row : plan.rows) plan.bytes += row.bytes;
  if (!setting.with_headers) return plan;
  plan.bytes = written::mlx_layout(setting.source.checkpoint, plan, setting.source.architecture,
                                   setting.options.shard_bytes, true)
                   .bytes();
  for (const auto& tensor : setting.problem.tensors) {
    if (tensor.fate == names::Fate::unmapped) plan.bytes += tensor.bytes();
  }
  return plan;
}

bool has_measurements(const AllocationSetting& setting) {
  return std::ranges::any_of(setting.problem.modules, [](const auto& module) {
    return std::ranges::any_of(module.choices,
                               [](const auto& choice) { return !choice.encoding.keeps(); });
  });
}

namespace {

/// Its format was swept, but not of this tensor: a unit failed, or its shape allows another alone.
void require_fixed_measured(const AllocationSetting& setting) {
  const auto& problem = setting.problem;
  if (problem.fixed_unmeasured.empty()) return;
  const auto& module = problem.modules[problem.fixed_unmeasured.front()];
  throw Error(ExitCode::bad_input, "--role " + module.role,
              fmt::format("{} of its modules were not measured in the format that they would have "
                          "({}, ...)",
                          problem.fixed_unmeasured.size(), printable(module.name)),
              fmt::format("`moesweep run` completes the sweep; or say {}=keep", module.role));
}

}  // namespace

void require_measurements(const AllocationSetting& setting) {
  if (has_measurements(setting)) return require_fixed_measured(setting);
  std::set<std::string> quantizers;
  for (const auto& format : setting.problem.constraints.formats) {
    quantizers.insert("\"" + format.quantizer + "\"");
  }
  throw Error(
      ExitCode::bad_input, setting.source.place,
      fmt::format("no tensor that {} can quantize was measured with an allowed format",
                  names::runtime_name(setting.options.runtime)),
      fmt::format("sweep with {}sensitivity.quantizers = [{}], or choose the method uniform",
                  setting.swept.empty() ? "\"error\" among sensitivity.metrics and " : "",
                  fmt::join(quantizers, ", ")));
}

}  // namespace moesweep::planning
