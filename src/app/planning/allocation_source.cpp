#include "allocation_source.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/app/jobs/checkpoint_input.hpp>
#include <moesweep/app/run/run_results.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/shape.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/core/records/plan.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/model/checkpoint/companion.hpp>
#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/names/role.hpp>

namespace moesweep::planning {
namespace {

namespace fs = std::filesystem;
using records::CheckpointTensorRow;
using records::DistortionRow;
using records::TensorRow;

constexpr auto config_file = "config.json";

/// `place` names file, table and row.
checkpoint::Tensor tensor_of(const CheckpointTensorRow& row, const std::string& place) {
  const auto refuse = [&](const std::string& problem) {
    throw Error(ExitCode::bad_input, place,
                fmt::format("{} {}", printable(row.name.empty() ? "a tensor" : row.name), problem),
                "the results are not of a sweep: do not use them");
  };
  if (row.name.empty() || has_control_characters(row.name)) {
    refuse("has a name that no tensor of a checkpoint has");
  }
  checkpoint::Tensor tensor;
  tensor.name = row.name;
  records::PlanRow named;
  named.tensor = row.name;
  named.shape = row.shape;
  try {
    tensor.shape = records::shape_of(named);
  } catch (const Error& error) {
    refuse(error.problem());
  }
  const auto dtype = parse_dtype(row.dtype);
  if (!dtype) refuse(fmt::format("has the dtype \"{}\"", printable(row.dtype)));
  tensor.dtype = *dtype;
  auto bits = std::optional(static_cast<std::uint64_t>(dtype_bits(*dtype)));
  for (const auto side : tensor.shape) {
    if (bits) bits = checked_product(*bits, static_cast<std::uint64_t>(side));
  }
  if (!bits || *bits % 8 != 0 || !std::cmp_equal(*bits / 8, row.bytes)) {
    refuse(fmt::format("is {} of {} in {} bytes", printable(row.shape), row.dtype, row.bytes));
  }
  tensor.byte_end = *bits / 8;
  return tensor;
}

/// What the sweep knew of the checkpoint, where that is gone.
checkpoint::Checkpoint from_rows(const std::vector<CheckpointTensorRow>& rows,
                                 const std::string& file) {
  checkpoint::Checkpoint checkpoint;
  const auto& table = records::table_info<CheckpointTensorRow>().name;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    checkpoint.tensors.push_back(
        tensor_of(rows[i], fmt::format("{}: {}, row {}", file, table, i + 1)));
  }
  return checkpoint;
}

void refuse_other_checkpoint(const checkpoint::Checkpoint& checkpoint,
                             const std::vector<CheckpointTensorRow>& rows) {
  std::map<std::string_view, const checkpoint::Tensor*> by_name;
  for (const auto& tensor : checkpoint.tensors) by_name[tensor.name] = &tensor;
  for (const auto& row : rows) {
    const auto found = by_name.find(row.name);
    if (found != by_name.end() && dtype_name(found->second->dtype) == row.dtype &&
        shape_text(found->second->shape) == row.shape) {
      continue;
    }
    throw Error(ExitCode::bad_input, checkpoint.directory.string(),
                fmt::format("is not the checkpoint that was swept: {} is missing, or of another "
                            "shape or dtype",
                            printable(row.name)),
                "restore it, or sweep this one");
  }
}

bool is_there(const config::Settings& job) {
  const auto* key =
      job.has("checkpoint.twin.inventory") ? "checkpoint.twin.inventory" : "checkpoint.path";
  return fs::exists(status_of(job.path(key), ExitCode::bad_input));
}

/// Headers of the job's checkpoint. Where it is gone, the tensors that the sweep has seen.
void read_headers(const config::Settings& job, const std::vector<CheckpointTensorRow>& rows,
                  AllocationSource& source) {
  auto& notes = source.notes;
  if (!is_there(job)) {
    notes.push_back(
        "the checkpoint is not where it was: tensors that the job left out are not in the plan, "
        "and "
        "its architecture is not known without --architecture");
    source.checkpoint = from_rows(rows, source.place);
    return;
  }
  auto model = jobs::open_swept_model(job);
  source::require_weights(model);
  refuse_other_checkpoint(model.checkpoint, rows);
  notes.insert(notes.end(), model.notes.begin(), model.notes.end());
  source.checkpoint = std::move(model.checkpoint);
  source.config = std::move(model.config);
}

/// By config.json. `wanted` is --architecture: where it is given, config.json need not name it, nor
/// be readable.
names::Architecture architecture_of(AllocationSource& source, const std::string& wanted) {
  const auto& folder = source.checkpoint.directory;
  if (folder.empty() || source.checkpoint.source != nullptr) return {.model_type = "generic"};
  if (!source.config.unreadable.empty() && !wanted.empty()) return {.model_type = wanted};
  const auto config = checkpoint::read_companion(folder, config_file);
  if (!config) return {.model_type = "generic"};
  if (wanted.empty()) return names::architecture_from(*config, (folder / config_file).string());
  const auto& own = source.config.model_type;
  std::string problem;
  auto architecture = names::architecture_named(own.empty() ? wanted : own, *config, problem);
  if (!problem.empty()) {
    source.notes.push_back(fmt::format("{} {}: it tells nothing but the architecture's name",
                                       config_file, printable(problem)));
  }
  return architecture;
}

/// What no sum of squares is.
bool is_impossible(double sum) {
  return std::isinf(sum) || sum < 0.0;
}

void add_measurements(AllocationSource& source, const records::Tables& tables) {
  std::map<std::string_view, allocation::Tensor*> by_name;
  for (auto& tensor : source.tensors) by_name[tensor.name] = &tensor;
  for (const auto& row : records::rows_of<DistortionRow>(tables)) {
    const auto found = by_name.find(row.tensor);
    if (row.slice != -1 || found == by_name.end()) continue;
    if (is_impossible(row.sse) || is_impossible(row.sum_squares)) {
      throw Error(ExitCode::bad_input,
                  fmt::format("{}: {}", source.place, records::table_info<DistortionRow>().name),
                  fmt::format("{} has an error of {} in squares of {}", printable(row.tensor),
                              row.sse, row.sum_squares),
                  "the results are not of a sweep: do not use them");
    }
    found->second->sse[formats::encoding_of(row)] = row.sse;
    found->second->sum_squares = row.sum_squares;
  }
  for (const auto& row : records::rows_of<TensorRow>(tables)) {
    const auto found = by_name.find(row.name);
    if (found == by_name.end()) continue;
    constexpr std::string_view skipped = "skipped: ";
    if (row.reason.starts_with(skipped)) {
      found->second->nonfinite = row.reason.substr(skipped.size());
    }
    found->second->swan = allocation::SwanScore{
        row.bits, row.composite,
        row.reason.starts_with("composite ") && !row.reason.starts_with("composite not "),
        row.reason};
  }
}

/// Composites need all of them.
std::vector<std::string> metrics_left_out(const config::Settings& job) {
  const auto& metrics = job.texts("sensitivity.metrics");
  std::vector<std::string> missing;
  for (const auto* metric : {"spectrum", "moments", "noise", "error"}) {
    if (std::ranges::find(metrics, metric) == metrics.end()) missing.emplace_back(metric);
  }
  return missing;
}

AllocationSource from_run(const fs::path& path, const std::string& wanted) {
  const store::RunDirectory run{path};
  const auto results = run::read_run_results(path);
  const auto rows = records::rows_of<CheckpointTensorRow>(results.tables);
  const auto job = config::load_job(run.job());
  const bool is_sensitivity = job.text("kind") == "sensitivity";
  const auto counts = run::sweep_counts(results, run.results().string());
  if (rows.empty() && is_sensitivity && !counts.is_complete) {
    throw Error(ExitCode::bad_input, run.results().string(), "has no tensors yet: " + counts.text(),
                "finish the sweep with " + run::how_to_finish(path));
  }
  if (rows.empty() || !is_sensitivity) {
    throw Error(ExitCode::bad_input, run.results().string(), "has no table checkpoint/tensors",
                "name the run of a sensitivity sweep");
  }
  AllocationSource source;
  source.place = run.results().string();
  source.units_done = counts.done;
  source.units_total = counts.total;
  if (!counts.is_complete) {
    source.notes.push_back(
        fmt::format("the sweep is unfinished ({}): the plan is of what was measured so far, the "
                    "rest is kept; to finish it, {}",
                    counts.text(), run::how_to_finish(path)));
  }
  source.missing_metrics = metrics_left_out(job);
  read_headers(job, rows, source);
  source.architecture = architecture_of(source, wanted);
  source.expert_patterns = job.texts("checkpoint.expert_patterns");
  source.thresholds = {job.number("sensitivity.thresholds.bits2"),
                       job.number("sensitivity.thresholds.bits8"),
                       job.number("sensitivity.thresholds.bits16")};
  describe_tensors(source);
  add_measurements(source, results.tables);
  return source;
}

// A twin has no config.json that says it.
void count_layers(AllocationSource& source) {
  auto& layers = source.architecture.layers;
  if (layers > 0) return;
  for (const auto& tensor : source.tensors) {
    layers = std::max(layers, names::layers_shown_by(tensor.name));
  }
}

void settle_architecture(AllocationSource& source, const std::string& wanted) {
  const auto known = fmt::format("{}", fmt::join(names::known_architectures(), ", "));
  if (!wanted.empty()) {
    if (!names::is_known_architecture(wanted)) {
      throw Error(ExitCode::bad_usage, fmt::format("--architecture {}", wanted), "is not known",
                  "choose one of " + known);
    }
    const auto& own = source.architecture.model_type;
    if (own != wanted && own != "generic" && wanted != "generic" &&
        names::is_known_architecture(own)) {
      source.notes.push_back(
          fmt::format("config.json names {}; taken for {}, as --architecture says", own, wanted));
    }
    source.architecture.model_type = wanted;
  } else if (source.architecture.model_type == "generic") {
    source.notes.emplace_back(
        "no config.json names the architecture: taken for generic, which keeps all that is not "
        "called .weight, stacks of experts among them; --architecture names it, --quantizable "
        "names "
        "tensors");
  } else if (!names::is_known_architecture(source.architecture.model_type)) {
    throw Error(
        ExitCode::bad_input, (source.checkpoint.directory / config_file).string(),
        fmt::format("the names of model_type \"{}\" are not known",
                    printable(source.architecture.model_type)),
        "name the --architecture that it is like (generic: names stay as they are): " + known);
  }
}

}  // namespace

void describe_tensors(AllocationSource& source) {
  auto& tensors = source.checkpoint.tensors;
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& tensor : tensors) {
    allocation::Tensor described;
    described.name = tensor.name;
    described.shape = tensor.shape;
    described.dtype = tensor.dtype;
    described.role = names::role_name(
        names::role_of(tensor.name, tensor.shape, tensor.dtype, source.expert_patterns));
    source.tensors.push_back(std::move(described));
  }
}

AllocationSource open_allocation_source(const fs::path& path, const std::string& architecture) {
  auto source = fs::is_regular_file(status_of(path, ExitCode::run_directory))
                    ? read_allocation_csv(path)
                    : from_run(path, architecture);
  // Also of tables and of sweeps whose checkpoint is gone: their errors would be those of codes.
  source::require_weights(source::as_model(source.checkpoint));
  if (source.architecture.model_type.empty()) source.architecture.model_type = "generic";
  settle_architecture(source, architecture);
  count_layers(source);
  return source;
}

}  // namespace moesweep::planning
