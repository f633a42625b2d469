#include "allocation_source.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/app/jobs/checkpoint_input.hpp>
#include <moesweep/app/jobs/job_file.hpp>
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
#include <moesweep/model/checkpoint/config_json.hpp>
#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/model/source/family.hpp>

namespace moesweep::planning {
namespace {

namespace fs = std::filesystem;
using records::CheckpointTensorRow;
using records::DistortionRow;
using records::TensorRow;

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

/// Of the checkpoint, or of the inventory that a twin of it was made from.
fs::path path_in(const config::Settings& job) {
  return job.path(job.has("checkpoint.twin.inventory") ? "checkpoint.twin.inventory"
                                                       : "checkpoint.path");
}

/// Headers of the job's checkpoint. Where it is gone, the tensors that the sweep has seen.
void read_headers(const config::Settings& job, const std::vector<CheckpointTensorRow>& rows,
                  AllocationSource& source) {
  auto& notes = source.notes;
  if (!fs::exists(status_of(path_in(job), ExitCode::bad_input))) {
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

AllocationSource from_run(const fs::path& path) {
  const store::RunDirectory run{path};
  const auto results = run::read_run_results(path);
  const auto rows = records::rows_of<CheckpointTensorRow>(results.tables);
  const auto job = jobs::load_job(run.job());
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
  source.name = checkpoint::name_of(path_in(job));
  source.missing_metrics = metrics_left_out(job);
  read_headers(job, rows, source);
  source.expert_patterns = job.texts(jobs::expert_patterns_key);
  source.thresholds = {job.number("sensitivity.thresholds.bits2"),
                       job.number("sensitivity.thresholds.bits8"),
                       job.number("sensitivity.thresholds.bits16")};
  describe_tensors(source);
  add_measurements(source, results.tables);
  return source;
}

/// Of one that is known, or whose names stay as they are.
void note_family(AllocationSource& source, bool is_named, const std::string& problem) {
  const auto& own = source.config.model_type;
  const auto& family = source.architecture.model_type;
  auto& notes = source.notes;
  if (is_named) {
    // What can't be read at all is told by the model's notes.
    if (source.config.unreadable.empty() && !problem.empty()) {
      notes.push_back(fmt::format("config.json: {}, and is taken as unknown", problem));
    }
    if (own != family && own != "generic" && family != "generic" &&
        names::is_known_architecture(own)) {
      notes.push_back(
          fmt::format("config.json names {}; taken for {}, as --architecture says", own, family));
    }
  } else if (family == "generic") {
    notes.emplace_back(
        "no config.json names the architecture: taken for generic, which keeps all that is not "
        "called .weight, stacks of experts among them; --architecture names it, --quantizable "
        "names "
        "tensors");
  }
}

void settle_family(AllocationSource& source, const std::string& wanted) {
  const auto user = source::family_named(wanted);
  const auto config = source::family_of_config(
      source.config, (source.checkpoint.directory / checkpoint::config_name).string());
  std::int64_t layers = 0;
  for (const auto& tensor : source.tensors) {
    layers = std::max(layers, names::layers_shown_by(tensor.name));
  }
  source.architecture = source::family_of({.user = user, .config = config, .layers_shown = layers});
  const auto& family = source.architecture.model_type;
  if (!names::is_known_architecture(family)) {
    throw Error(
        ExitCode::bad_input, config.place,
        fmt::format("the names of model_type \"{}\" are not known", printable(family)),
        fmt::format("name the --architecture that it is like (generic: names stay as they are): {}",
                    fmt::join(names::known_architectures(), ", ")));
  }
  note_family(source, !wanted.empty(), config.problem);
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

records::PlanSource identity_of(const AllocationSource& source) {
  return {.name = source.name,
          .model_type = source.config.model_type,
          .params = source.checkpoint.params(),
          .bytes = source.checkpoint.bytes()};
}

AllocationSource open_allocation_source(const fs::path& path, const std::string& architecture) {
  auto source = fs::is_regular_file(status_of(path, ExitCode::run_directory))
                    ? read_allocation_csv(path)
                    : from_run(path);
  // Also of tables and of sweeps whose checkpoint is gone: their errors would be those of codes.
  source::require_weights(source::as_model(source.checkpoint));
  settle_family(source, architecture);
  return source;
}

}  // namespace moesweep::planning
