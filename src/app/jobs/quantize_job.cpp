#include "quantize_job.hpp"

#include <map>

#include <fmt/format.h>

#include <moesweep/app/jobs/checkpoint_input.hpp>
#include <moesweep/app/jobs/quantize.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/core/records/quantize.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>
#include <moesweep/model/checkpoint/shards.hpp>
#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/names/runtime.hpp>
#include <moesweep/model/source/family.hpp>
#include <moesweep/plans/allocation/plan_warnings.hpp>
#include <moesweep/plans/plan/family.hpp>
#include <moesweep/plans/plan/plan_file.hpp>
#include <moesweep/plans/written/layout.hpp>
#include <moesweep/plans/written/write.hpp>

#include "container.hpp"
#include "quantize_check.hpp"
#include "quantize_output.hpp"

namespace moesweep::jobs {
namespace {

names::Architecture architecture_of(const config::Settings& settings, const records::Plan& plan,
                                    const source::Model& model) {
  const auto named = settings.has("quantize.architecture") ? settings.text("quantize.architecture")
                                                           : std::string();
  const auto config = model.checkpoint.directory / checkpoint::config_name;
  return source::family_of(
      {.user = source::family_named(named),
       .plan = plan::family_of_plan(plan, settings.path("quantize.plan").string()),
       .config = source::family_of_config(model.config, config.string()),
       .layers_shown = plan::layers_shown_by(plan)});
}

/// Those that the plan was made with, else the job's.
std::vector<std::string> expert_patterns_of(const config::Settings& settings,
                                            const records::Plan& plan) {
  return plan.expert_patterns ? *plan.expert_patterns : settings.texts(expert_patterns_key);
}

source::Model open_weights(const config::Settings& settings,
                           const std::vector<std::string>& expert_patterns) {
  auto model = open_swept_model(settings, expert_patterns);
  source::require_weights(model);
  return model;
}

class QuantizeJob final : public JobKind {
 public:
  explicit QuantizeJob(const config::Settings& settings)
      : QuantizeJob(settings, plan::read_plan(settings.path("quantize.plan"))) {}

  QuantizeJob(const config::Settings& settings, records::Plan plan)
      : out_(settings.path("quantize.out")),
        container_(container_named(settings.text("quantize.to"))),
        plan_(std::move(plan)),
        expert_patterns_(expert_patterns_of(settings, plan_)),
        model_(open_weights(settings, expert_patterns_)),
        checkpoint_(model_.checkpoint),
        companions_(companions_of(checkpoint_)),
        config_(config_of(checkpoint_)),
        architecture_(architecture_of(settings, plan_, model_)),
        input_{.source = checkpoint_,
               .plan = plan_,
               .architecture = architecture_,
               .expert_patterns = expert_patterns_,
               .shard_bytes = settings.integer("quantize.shard_bytes"),
               .allow_unmapped = settings.boolean("quantize.allow_unmapped")},
        layout_(container_.layout(input_)),
        written_config_(container_.config == nullptr ? config_
                                                     : container_.config(input_, config_)),
        reader_(checkpoint_, {.reads_per_file = settings.integer("resources.reads_per_file")}) {
    for (const auto& row : plan_.rows) plan_rows_[row.tensor] = &row;
  }

  std::vector<config::InputHash> inputs() const override {
    auto hashes = header_hashes(checkpoint_);
    hashes.push_back({"plan", plan::hash_of(plan_)});
    if (container_.config != nullptr) {
      hashes.push_back({checkpoint::config_name, hash128(std::as_bytes(std::span(config_)))});
    }
    return hashes;
  }

  std::vector<std::string> warnings() const override {
    auto warnings = model_.notes;
    warnings.insert(warnings.end(), companions_.left_out.begin(), companions_.left_out.end());
    const auto of_plan = allocation::warnings_of(plan_, model_.config, architecture_);
    warnings.insert(warnings.end(), of_plan.begin(), of_plan.end());
    return warnings;
  }

  std::vector<StageDraft> stages(const Rates& rates) const override {
    StageDraft stage{"quantize", {}};
    for (const auto& shard : layout_.shards) {
      const auto bytes_read = written::source_bytes(checkpoint_, shard);
      const auto round_trips = written::round_trips(shard);
      const double seconds =
          static_cast<double>(bytes_read + shard.bytes) / rates.read_bytes_per_second_node +
          static_cast<double>(round_trips) / rates.round_trips_per_second_core +
          rates.unit_overhead_seconds;
      const auto& first = checkpoint_.tensors[shard.tensors.front().origins.front().tensor];
      stage.units.push_back(
          {"quantize/" + shard.file,
           {bytes_read, 8 * round_trips, written::write_peak_bytes(checkpoint_, shard), seconds},
           {checked_cast<std::uint32_t>(first.shard), first.byte_begin}});
    }
    return {stage};
  }

  void run_in(const std::filesystem::path& run_directory) override {
    require_own_folder(out_, checkpoint_, layout_, container_.suffix);
    if (!std::filesystem::exists(status_of(store::RunDirectory{run_directory}.job()))) {
      require_nothing_to_replace(out_, container_.suffix);
    }
  }

  void begin() const override {
    make_folders(out_);
    remove_abandoned(out_);
  }

  UnitRows run(sweep::UnitIndex unit) const override {
    const auto& shard = layout_.shards[unit];
    const auto written = written::write_shard(checkpoint_, reader_, shard, out_ / shard.file,
                                              [this](const auto& parts) { require_plan(parts); });
    UnitRows rows;
    rows.bytes_read = written.bytes_read;
    records::append_row(rows.tables,
                        records::QuantizedShardRow{shard.file, written.bytes, written.hash.hex()});
    for (const auto& part : written.parts) {
      records::append_row(rows.tables, row_of(part, shard.file));
    }
    return rows;
  }

  records::Tables reduce(records::Tables rows) const override { return reduce_quantize(rows); }

  std::any finish(const records::Tables& results) const override {
    require_shards(out_, layout_);
    auto summary = summarize_written(results, plan_);
    if (container_.has_planned_size) summary.planned_bytes = plan_.bytes;
    if (summary.compared > 0) {
      const auto& row = planned(summary.deviates_most);
      require_planned_sse(row, written_sse(results, row.tensor));
    }
    copy_companions(companions_, out_);
    if (!written_config_.empty()) {
      publish_file(out_ / checkpoint::config_name, std::string_view(written_config_));
    }
    publish_file(out_ / checkpoint::index_file_name, std::string_view(index_of(layout_)));
    return summary;
  }

 private:
  /// Names are those of segments, which somebody else may have written.
  const records::PlanRow& planned(const std::string& tensor) const {
    const auto found = plan_rows_.find(tensor);
    if (found != plan_rows_.end()) return *found->second;
    throw Error(ExitCode::bad_input, out_.string(),
                fmt::format("has results of {}, which is not in the plan", printable(tensor)),
                "write into a new folder");
  }

  // Tensors whose parts are in several files are compared at the end.
  void require_plan(const written::WrittenShard& written) const {
    struct Sum {
      std::int64_t weights = 0;
      double sse = 0.0;
    };
    std::map<std::size_t, Sum> sums;
    for (const auto& part : written.parts) {
      if (!part.is_quantized) continue;
      sums[part.tensor].weights += part.weights;
      sums[part.tensor].sse += part.sse;
    }
    for (const auto& [index, sum] : sums) {
      const auto& tensor = checkpoint_.tensors[index];
      if (sum.weights != tensor.params()) continue;
      require_planned_sse(planned(tensor.name), sum.sse);
    }
  }

  static double written_sse(const records::Tables& results, const std::string& tensor) {
    double sse = 0.0;
    for (const auto& row : records::rows_of<records::QuantizedTensorRow>(results)) {
      if (row.tensor == tensor) sse += row.sse;
    }
    return sse;
  }

  records::QuantizedTensorRow row_of(const written::WrittenPart& part,
                                     const std::string& file) const {
    records::QuantizedTensorRow row;
    row.tensor = checkpoint_.tensors[part.tensor].name;
    row.stored = part.name;
    row.action = part.is_quantized ? "quantize" : "keep";
    if (part.is_quantized) formats::set_encoding(row, part.encoding);
    row.weights = part.weights;
    row.bytes = part.bytes;
    row.sse = part.sse;
    row.sse_stored = part.sse_stored;
    row.sum_squares = part.sum_squares;
    row.shard = file;
    return row;
  }

  std::filesystem::path out_;
  const Container& container_;
  records::Plan plan_;
  std::vector<std::string> expert_patterns_;
  source::Model model_;
  const checkpoint::Checkpoint& checkpoint_;  // of model_
  CompanionFiles companions_;
  std::string config_;  // text of config.json, empty when there is none
  names::Architecture architecture_;
  ContainerInput input_;  // of the above
  written::Layout layout_;
  std::string written_config_;
  checkpoint::TensorReader reader_;
  std::map<std::string, const records::PlanRow*> plan_rows_;
};

}  // namespace

std::unique_ptr<JobKind> open_quantize_job(const config::Settings& settings) {
  return std::make_unique<QuantizeJob>(settings);
}

records::Tables reduce_quantize(const records::Tables& rows) {
  records::Tables tables;
  for (const auto* name : {"quantize/tensors", "quantize/shards"}) {
    const auto found = rows.find(name);
    if (found != rows.end()) tables.emplace(name, found->second);
  }
  return tables;
}

}  // namespace moesweep::jobs
