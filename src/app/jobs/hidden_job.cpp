#include "hidden_job.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/heads.hpp>

#include "generation.hpp"
#include "hidden_training.hpp"

namespace moesweep::jobs {
namespace {

// Training runs on small products in float, next to float64's rate of large ones.
constexpr double training_share_of_gram_rate = 1.5;

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> stages_of(const config::Settings& settings) {
  const auto& kind = settings.text("kind");
  if (kind == "pipeline") return settings.texts("pipeline.stages");
  if (kind == "suppression") return {"evidence", "heads", "suppression"};
  return {kind};
}

records::Tables describe(const HiddenInputs& inputs) {
  records::Tables tables;
  const auto& samples = inputs.baseline();
  for (std::int64_t i = 0; i < samples.samples; ++i) {
    const auto at = static_cast<std::size_t>(i);
    records::append_row(
        tables,
        records::SampleRow{i, samples.sample_id[at],
                           samples.label_names[static_cast<std::size_t>(samples.label[at])],
                           records::split_names[static_cast<std::size_t>(samples.split[at])],
                           samples.cluster.empty() ? std::string() : samples.cluster[at]});
  }
  for (const auto& variant : inputs.variants()) {
    const auto& info = inputs.info(variant);
    records::append_row(
        tables,
        records::VariantRow{variant, static_cast<std::int8_t>(&info == &samples), info.model,
                            info.bits, info.group_size, info.model_bytes, info.samples, info.spans,
                            info.hidden_dim, fmt::format("{}", fmt::join(info.layers, ",")),
                            fmt::format("{}", fmt::join(info.label_names, ","))});
  }
  return tables;
}

class HiddenJob final : public JobKind {
 public:
  explicit HiddenJob(const config::Settings& settings) : context_(settings) {
    if (settings.has("generation.file")) {
      generation_ = read_generation(settings.path("generation.file"), context_.inputs.baseline());
    }
    const auto names = stages_of(settings);
    for (const auto* name : {"evidence", "heads", "suppression", "probes"}) {
      if (!has(names, name)) continue;
      auto& stage = stages_.emplace_back(HiddenStage{name, {}});
      if (stages_.size() == 1) add_description(stage);
      cut(stage);
    }
  }

  std::vector<config::InputHash> inputs() const override {
    std::vector<config::InputHash> hashes;
    for (const auto& variant : context_.inputs.variants()) {
      hashes.push_back({variant + ".h5", context_.inputs.cache(variant).content_hash()});
    }
    if (generation_) hashes.push_back({"generation", generation_->content_hash});
    return hashes;
  }

  std::vector<StageDraft> stages(const Rates& rates) const override {
    std::vector<StageDraft> drafts;
    for (const auto& stage : stages_) {
      auto& draft = drafts.emplace_back(StageDraft{stage.name, {}});
      for (const auto& unit : stage.units) {
        const double seconds =
            unit.work.flops / (training_share_of_gram_rate * rates.gram_flops_per_core) +
            static_cast<double>(unit.work.bytes_read) / rates.read_bytes_per_second_node +
            rates.unit_overhead_seconds;
        draft.units.push_back({unit.key,
                               {unit.work.bytes_read, static_cast<std::int64_t>(unit.work.flops),
                                unit.work.peak_bytes, seconds},
                               {}});
      }
    }
    return drafts;
  }

  UnitRows run(sweep::UnitIndex index) const override {
    std::size_t i = index;
    for (const auto& stage : stages_) {
      if (i < stage.units.size()) {
        auto rows = stage.units[i].compute();
        rows.bytes_read = stage.units[i].work.bytes_read;
        return rows;
      }
      i -= stage.units.size();
    }
    bug("no such unit");
  }

  records::Tables reduce(records::Tables rows) const override {
    return reduce_hidden(context_.settings, rows);
  }

 private:
  void cut(HiddenStage& stage) {
    if (stage.name == "evidence") return cut_evidence(context_, stage);
    if (stage.name == "suppression") return cut_suppression(context_, stage);
    if (stage.name == "probes") return cut_probes(context_, stage);
    if (context_.settings.text("heads.task") == "evidence") {
      return cut_evidence_heads(context_, stage);
    }
    cut_heads(context_, stage);
  }

  void add_description(HiddenStage& stage) {
    stage.units.push_back(
        {"cache/samples", {}, [this] { return UnitRows{describe(context_.inputs)}; }});
    if (!generation_) return;
    require_forbidden_labels(context_);
    if (!generation_->by_variant.contains(context_.inputs.variants().front())) {
      throw Error(
          ExitCode::bad_input, context_.settings.place_of("generation.file"),
          "generation.file tells no decision of the baseline " + context_.inputs.variants().front(),
          "a verdict compares with the baseline's own decisions");
    }
    for (const auto& [variant, decided] : generation_->by_variant) {
      if (!has(context_.inputs.variants(), variant)) {
        throw Error(ExitCode::bad_input, context_.settings.place_of("generation.file"),
                    fmt::format("generation.file tells decisions of {}, which is no variant",
                                printable(variant)),
                    "add it to cache.variants, or take its lines out");
      }
      stage.units.push_back({"generation/" + variant, {}, [this, variant = variant] {
                               return generation_rows(variant);
                             }});
    }
  }

  UnitRows generation_rows(const std::string& variant) const {
    const auto& info = context_.inputs.baseline();
    const auto evaluation = training::evaluate_decisions(
        generation_->by_variant.at(variant), static_cast<std::int64_t>(info.label_names.size()),
        info.label, info.split, forbidden_of(context_.settings, info.label_names));
    return {
        heads::rows_of_decisions({variant, "generation", "", ""}, evaluation, info.label_names)};
  }

  HiddenContext context_;
  std::optional<GeneratedDecisions> generation_;
  std::vector<HiddenStage> stages_;
};

}  // namespace

std::unique_ptr<JobKind> open_hidden_job(const config::Settings& settings) {
  return std::make_unique<HiddenJob>(settings);
}

}  // namespace moesweep::jobs
