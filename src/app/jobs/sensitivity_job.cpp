#include "sensitivity_job.hpp"

#include <algorithm>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/app/jobs/checkpoint_input.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/kernels/row_codec.hpp>

#include "sensitivity_patterns.hpp"

namespace moesweep::jobs {
namespace {

/// Each in its own bits and groups where it has one, otherwise in those that the job lists.
std::vector<kernels::Settled> quantizers_from(const config::Settings& settings) {
  std::vector<kernels::Settled> quantizers;
  for (const auto& name : settings.texts("sensitivity.quantizers")) {
    const auto& format = formats::format_named(name);
    const auto bits = format.has_bits() ? settings.integers("sensitivity.bits")
                                        : config::IntegerList{format.bits.front()};
    const auto groups = format.has_fixed_block() ? config::IntegerList{format.groups.front()}
                                                 : settings.integers("sensitivity.group_sizes");
    for (const auto of_code : bits) {
      for (const auto group_size : groups) {
        const formats::Encoding encoding{name, checked_cast<std::int32_t>(of_code),
                                         checked_cast<std::int32_t>(group_size)};
        if (!format.offers(encoding)) continue;
        const auto settled = kernels::settle(encoding);
        expect(settled.has_value(), "a job's quantizer that no kernel has");
        quantizers.push_back(*settled);
      }
    }
  }
  return quantizers;
}

/// Those that one kind of kernel evaluates, in the job's order.
template <typename Kind>
std::vector<Kind> of_kind(const std::vector<kernels::Settled>& quantizers) {
  std::vector<Kind> found;
  for (const auto& quantizer : quantizers) {
    if (const auto* one = std::get_if<Kind>(&quantizer)) found.push_back(*one);
  }
  return found;
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

sensitivity::Options options_from(const config::Settings& settings) {
  sensitivity::Options options;
  options.include = settings.texts("checkpoint.include");
  options.exclude = settings.texts("checkpoint.exclude");
  options.expert_patterns = settings.texts(expert_patterns_key);
  options.nonfinite = settings.text("checkpoint.nonfinite") == "skip"
                          ? sensitivity::NonfinitePolicy::skip
                          : sensitivity::NonfinitePolicy::fail;
  options.experts = settings.text("sensitivity.experts") == "swan" ? sensitivity::ExpertChoice::swan
                                                                   : sensitivity::ExpertChoice::all;
  options.estimator = settings.text("sensitivity.estimator") == "swan"
                          ? sensitivity::Estimator::swan
                          : sensitivity::Estimator::exact;
  const auto& metrics = settings.texts("sensitivity.metrics");
  options.moments = has(metrics, "moments");
  options.noise = has(metrics, "noise");
  options.error = has(metrics, "error");
  options.spectrum = has(metrics, "spectrum");
  const auto quantizers = quantizers_from(settings);
  options.quantizers = of_kind<kernels::Quantizer>(quantizers);
  options.block_quantizers = of_kind<kernels::BlockQuantizer>(quantizers);
  options.weights = {
      settings.number("sensitivity.weights.svd"), settings.number("sensitivity.weights.kurtosis"),
      settings.number("sensitivity.weights.noise"), settings.number("sensitivity.weights.error")};
  options.thresholds = {settings.number("sensitivity.thresholds.bits2"),
                        settings.number("sensitivity.thresholds.bits8"),
                        settings.number("sensitivity.thresholds.bits16")};
  options.protected_patterns = settings.texts("sensitivity.protected");
  options.sensitive_patterns = settings.texts("sensitivity.sensitive");
  options.unit_bytes = settings.integer("resources.unit_bytes");
  return options;
}

class SensitivityJob final : public JobKind {
 public:
  explicit SensitivityJob(const config::Settings& settings)
      : options_(options_from(settings)),
        model_(open_swept_model(settings)),
        checkpoint_(model_.checkpoint),
        reader_(checkpoint_, {.reads_per_file = settings.integer("resources.reads_per_file")}),
        items_(sensitivity::cut(checkpoint_, options_)),
        warnings_(model_.notes) {
    require_matching_patterns(settings, checkpoint_);
    std::vector<bool> reads;
    for (const auto& tensor : checkpoint_.tensors) {
      reads.push_back(sensitivity::is_selected(tensor.name, options_));
    }
    source::refuse_codes(checkpoint_, model_.storage, model_.config, reads);
    for (auto& warning : patterns_without_match(settings, checkpoint_)) {
      warnings_.push_back(std::move(warning));
    }
  }

  std::vector<std::string> warnings() const override { return warnings_; }

  std::vector<config::InputHash> inputs() const override { return header_hashes(checkpoint_); }

  // Unit 0 describes all tensors, so that results can be rebuilt without the checkpoint; then one
  // unit a work item.
  std::vector<StageDraft> stages(const Rates& rates) const override {
    StageDraft stage{"sensitivity", {}};
    stage.units.push_back(
        {"checkpoint/tensors", {0, 0, 1 << 20, rates.unit_overhead_seconds}, {0, 0}});
    for (const auto& item : items_) {
      const auto& tensor = checkpoint_.tensors[item.tensor];
      const auto slice_bytes = static_cast<std::uint64_t>(item.bytes_read) /
                               static_cast<std::uint64_t>(item.slice_last - item.slice_first + 1);
      const auto offset =
          tensor.byte_begin + slice_bytes * static_cast<std::uint64_t>(item.slice_first);
      stage.units.push_back(
          {sensitivity::key_of(item, checkpoint_, options_),
           {item.bytes_read, item.flops(), item.peak_bytes, seconds_estimate(item, rates)},
           {checked_cast<std::uint32_t>(tensor.shard), offset}});
    }
    return {stage};
  }

  UnitRows run(sweep::UnitIndex unit) const override {
    if (unit == 0) return {sensitivity::describe(checkpoint_, options_), 0};
    const auto& item = items_[unit - 1];
    return {sensitivity::measure(checkpoint_, reader_, item, options_), item.bytes_read};
  }

  records::Tables reduce(records::Tables rows) const override {
    return sensitivity::reduce(std::move(rows), options_);
  }

 private:
  static double seconds_estimate(const sensitivity::WorkItem& item, const Rates& rates) {
    return static_cast<double>(item.bytes_read) / rates.read_bytes_per_second_node +
           static_cast<double>(item.gram_flops) / rates.gram_flops_per_core +
           static_cast<double>(item.round_trips) / rates.round_trips_per_second_core +
           static_cast<double>(item.weights) / rates.moments_per_second_core +
           rates.unit_overhead_seconds;
  }

  sensitivity::Options options_;
  source::Model model_;
  const checkpoint::Checkpoint& checkpoint_;  // of model_
  checkpoint::TensorReader reader_;
  std::vector<sensitivity::WorkItem> items_;
  std::vector<std::string> warnings_;
};

}  // namespace

std::unique_ptr<JobKind> open_sensitivity_job(const config::Settings& settings) {
  return std::make_unique<SensitivityJob>(settings);
}

records::Tables reduce_sensitivity(const config::Settings& settings, records::Tables rows) {
  return sensitivity::reduce(std::move(rows), options_from(settings));
}

}  // namespace moesweep::jobs
