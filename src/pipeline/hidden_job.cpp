#include "hidden_job.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/error.hpp>
#include <moesweep/heads/train_block.hpp>
#include <moesweep/probes/probe.hpp>
#include <moesweep/records/heads.hpp>
#include <moesweep/records/suppression.hpp>
#include <moesweep/suppression/suppress.hpp>

#include "evidence_examples.hpp"
#include "generation.hpp"
#include "head_artifact.hpp"
#include "hidden_inputs.hpp"

namespace moesweep::pipeline {
namespace {

using heads::SeedBlock;
using records::HiddenCacheInfo;

// Training runs on small products in float, next to float64's rate of large ones.
constexpr double training_share_of_gram_rate = 1.5;
constexpr std::int64_t small_unit_bytes = std::int64_t{1} << 20;

struct Work {
  double flops = 0.0;
  std::int64_t bytes_read = 0;
  std::int64_t peak_bytes = small_unit_bytes;
};

struct Unit {
  std::string key;
  Work work;
  std::function<UnitRows()> compute;
};

struct Stage {
  std::string name;
  std::vector<Unit> units;
};

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
                           training::split_names[static_cast<std::size_t>(samples.split[at])],
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

// The inverse frequency of each class in train, n/(C n_c).
std::vector<double> balanced_weights(const training::Examples& examples, std::int64_t classes) {
  std::vector<double> counts(static_cast<std::size_t>(classes), 0.0);
  double total = 0.0;
  for (std::int64_t i = 0; i < examples.count(); ++i) {
    if (examples.split[static_cast<std::size_t>(i)] != 0) continue;
    counts[static_cast<std::size_t>(examples.labels[static_cast<std::size_t>(i)])] += 1.0;
    total += 1.0;
  }
  for (auto& count : counts) {
    count = count == 0.0 ? 1.0 : total / (static_cast<double>(classes) * count);
  }
  return counts;
}

class HiddenJob final : public JobKind {
 public:
  explicit HiddenJob(const config::Settings& settings) : settings_(settings), inputs_(settings) {
    if (settings.has("generation.file")) {
      generation_ = read_generation(settings.path("generation.file"), inputs_.baseline());
    }
    const auto names = stages_of(settings);
    for (const auto* name : {"evidence", "heads", "suppression", "probes"}) {
      if (!has(names, name)) continue;
      auto& stage = stages_.emplace_back(Stage{name, {}});
      if (stages_.size() == 1) add_description(stage);
      cut(stage);
    }
  }

  std::vector<config::InputHash> inputs() const override {
    std::vector<config::InputHash> hashes;
    for (const auto& variant : inputs_.variants()) {
      hashes.push_back({variant + ".h5", inputs_.cache(variant).content_hash()});
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
            static_cast<double>(unit.work.bytes_read) / rates.read_bytes_per_second +
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

 private:
  void cut(Stage& stage) {
    if (stage.name == "evidence") return cut_evidence(stage);
    if (stage.name == "suppression") return cut_suppression(stage);
    if (stage.name == "probes") return cut_probes(stage);
    if (settings_.text("heads.task") == "evidence") return cut_evidence_heads(stage);
    cut_heads(stage);
  }

  void add_description(Stage& stage) {
    stage.units.push_back({"cache/samples", {}, [this] { return UnitRows{describe(inputs_)}; }});
    if (!generation_) return;
    for (const auto& [variant, decided] : generation_->by_variant) {
      if (!has(inputs_.variants(), variant)) {
        throw Error(ExitCode::bad_input, settings_.place_of("generation.file"),
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
    const auto& info = inputs_.baseline();
    const auto evaluation = training::evaluate_decisions(
        generation_->by_variant.at(variant), static_cast<std::int64_t>(info.label_names.size()),
        info.label, info.split, forbidden());
    return {
        heads::rows_of_decisions({variant, "generation", "", ""}, evaluation, info.label_names)};
  }

  training::Forbidden forbidden() const {
    const auto& names = inputs_.baseline().label_names;
    const auto class_of = [&](const char* key) {
      const auto found = std::find(names.begin(), names.end(), settings_.text(key));
      return static_cast<std::int8_t>(found == names.end() ? -1 : found - names.begin());
    };
    const training::Forbidden out{class_of("heads.forbidden.truth"),
                                  class_of("heads.forbidden.predicted")};
    return out.truth < 0 || out.predicted < 0 ? training::Forbidden{} : out;
  }

  void require_forbidden_labels() const {
    const auto& names = inputs_.baseline().label_names;
    for (const auto* key : {"heads.forbidden.truth", "heads.forbidden.predicted"}) {
      if (has(names, settings_.text(key))) continue;
      throw Error(ExitCode::bad_job, settings_.place_of(key),
                  fmt::format("{} is \"{}\", the caches' labels are {}", key, settings_.text(key),
                              fmt::join(names, ", ")),
                  "name two of them: the error that must not happen");
    }
  }

  std::vector<SeedBlock> seed_blocks() const {
    const auto first = settings_.integer("heads.seeds.first");
    const auto end = first + settings_.integer("heads.seeds.count");
    const auto width = settings_.integer("heads.seeds_per_unit");
    std::vector<SeedBlock> blocks;
    for (auto seed = first; seed < end; seed += width) {
      blocks.push_back({seed, std::min(width, end - seed)});
    }
    return blocks;
  }

  static std::string key_of(const SeedBlock& block) {
    return fmt::format("{:06}-{:06}", block.first, block.first + block.count - 1);
  }

  training::TrainOptions train_options(std::int64_t inputs, std::int64_t outputs) const {
    training::TrainOptions options;
    options.shape = {training::head_kind_named(settings_.text("heads.head")), inputs, outputs,
                     settings_.integer("heads.width"), settings_.integer("heads.attention_width")};
    options.dropout = settings_.number("heads.dropout");
    options.epochs = settings_.integer("heads.epochs");
    options.batch = settings_.integer("heads.batch");
    options.learning_rate = settings_.number("heads.learning_rate");
    options.early_stop = settings_.boolean("heads.early_stop");
    options.patience = settings_.integer("heads.patience");
    return options;
  }

  // Two products of 2 N d h flops an epoch, a third of that for what surrounds them.
  Work training_work(std::int64_t rows, std::int64_t columns, const training::TrainOptions& options,
                     std::int64_t seeds, std::int64_t most_tokens) const {
    const auto parameters = static_cast<double>(training::parameter_count(options.shape));
    Work work;
    work.flops =
        5.0 * static_cast<double>(rows) * parameters * static_cast<double>(options.epochs * seeds);
    work.bytes_read = rows * columns * 2;
    work.peak_bytes = 2 * 4 * rows * columns + training::train_bytes(options, most_tokens);
    if (settings_.boolean("heads.save")) {
      work.peak_bytes += 3 * 4 * training::parameter_count(options.shape) * seeds;
    }
    return work;
  }

  void cut_heads(Stage& stage) {
    require_forbidden_labels();
    const auto& info = inputs_.baseline();
    const auto options =
        train_options(info.hidden_dim, static_cast<std::int64_t>(info.label_names.size()));
    for (const auto& variant : inputs_.variants()) {
      for (const auto& layer : settings_.texts("heads.layers")) {
        for (const auto& pooling : settings_.texts("heads.pooling")) {
          inputs_.require_pooling(variant, layer, pooling);
          const heads::Axis axis{variant, settings_.text("heads.head"), layer, pooling};
          for (const auto& block : seed_blocks()) {
            stage.units.push_back(
                {fmt::format("heads/{}/{}/{}/{}", variant, layer, pooling, key_of(block)),
                 training_work(info.samples, info.hidden_dim, options, block.count, 1),
                 [this, axis, block] { return decision_heads(axis, block); }});
          }
        }
      }
    }
  }

  UnitRows decision_heads(const heads::Axis& axis, const SeedBlock& seeds) const {
    const auto features = inputs_.features(axis.variant, axis.layer, axis.pooling);
    return train(axis, *features, seeds);
  }

  heads::Block decision_block(const heads::Axis& axis,
                              const training::FeatureMatrix& features) const {
    const auto& info = inputs_.baseline();
    heads::Block block;
    block.axis = axis;
    block.examples = {&features, {}, info.label, info.split};
    block.options =
        train_options(features.columns, static_cast<std::int64_t>(info.label_names.size()));
    block.label_names = info.label_names;
    block.forbidden = forbidden();
    add_class_weights(block);
    return block;
  }

  void add_class_weights(heads::Block& block) const {
    if (settings_.text("heads.class_weights") != "balanced") return;
    block.options.class_weights =
        balanced_weights(block.examples, static_cast<std::int64_t>(block.label_names.size()));
  }

  UnitRows train(const heads::Axis& axis, const StandardizedFeatures& on,
                 const SeedBlock& seeds) const {
    return finish(heads::train_block(decision_block(axis, on.features), seeds), axis, on.by);
  }

  UnitRows finish(heads::BlockResult result, const heads::Axis& axis,
                  const training::Standardization& by) const {
    UnitRows rows{std::move(result.tables)};
    if (!settings_.boolean("heads.save")) return rows;
    rows.artifacts.push_back(encode_heads(axis, result.heads, by));
    const auto& artifact = rows.artifacts.back();
    records::append_row(
        rows.tables, records::ArtifactRow{
                         axis.variant, axis.head, axis.layer, axis.pooling,
                         result.heads.front().seed, static_cast<std::int64_t>(result.heads.size()),
                         artifact.name, static_cast<std::int64_t>(artifact.bytes.size())});
    return rows;
  }

  void cut_evidence_heads(Stage& stage) {
    const bool attends = settings_.text("heads.head") == "attention_mlp";
    const auto& info = inputs_.baseline();
    const auto options = train_options(info.hidden_dim, 1);
    for (const auto& variant : inputs_.variants()) {
      for (const auto& layer : settings_.texts("heads.layers")) {
        if (attends)
          inputs_.require_token_states(variant, layer);
        else
          inputs_.require_span_means(variant, layer);
        const heads::Axis axis{variant, settings_.text("heads.head"), layer, "span"};
        const auto rows = info.samples * info.spans;
        for (const auto& block : seed_blocks()) {
          stage.units.push_back({fmt::format("heads/{}/{}/span/{}", variant, layer, key_of(block)),
                                 training_work(rows, info.hidden_dim, options, block.count,
                                               attends ? longest_span(info) : 1),
                                 [this, axis, block] { return evidence_heads(axis, block); }});
        }
      }
    }
  }

  UnitRows evidence_heads(const heads::Axis& axis, const SeedBlock& seeds) const {
    const auto examples = evidence_examples_.get({axis.variant, axis.layer}, [&] {
      return axis.head == "attention_mlp"
                 ? examples_of_tokens(inputs_.cache(axis.variant), axis.layer)
                 : examples_of_spans(inputs_.info(axis.variant),
                                     *inputs_.span_means(axis.variant, axis.layer));
    });
    heads::Block block;
    block.axis = axis;
    block.examples = {&examples->on.features, examples->tokens, examples->labels, examples->split};
    block.options = train_options(examples->on.features.columns, 1);
    block.label_names = {"uncited", "cited"};
    block.slots = examples->slots;
    block.slot_count = inputs_.baseline().samples * inputs_.baseline().spans;
    add_class_weights(block);
    return finish(heads::train_block(block, seeds), axis, examples->on.by);
  }

  std::vector<std::string> evidence_layers() const {
    const auto& layers = settings_.texts("evidence.layers");
    return layers.empty() ? std::vector{settings_.text("suppression.evidence_layer")} : layers;
  }

  // One fit to each fold and one to all, some hundred passes each.
  Work evidence_work() const {
    const auto& info = inputs_.baseline();
    const auto values = info.samples * info.spans * info.hidden_dim;
    Work work;
    work.flops = 6.0 * 150.0 * 4.0 * static_cast<double>(values);
    work.bytes_read = values * 2;
    work.peak_bytes = 3 * 4 * values;
    return work;
  }

  void cut_evidence(Stage& stage) {
    for (const auto& variant : inputs_.variants()) {
      for (const auto& layer : evidence_layers()) {
        inputs_.require_span_means(variant, layer);
        stage.units.push_back({fmt::format("evidence/{}/{}", variant, layer), evidence_work(),
                               [this, variant, layer] {
                                 UnitRows rows;
                                 for (const auto& row : inputs_.evidence(variant, layer)->rows) {
                                   auto named = row;
                                   named.variant = variant;
                                   records::append_row(rows.tables, named);
                                 }
                                 return rows;
                               }});
      }
    }
  }

  struct Suppression {
    heads::Axis axis;
    suppression::Setting setting;
  };

  std::vector<suppression::Setting> suppression_settings(const std::string& pooling) const {
    const auto parsed = suppression::parse_pooling(pooling);
    expect(parsed.has_value(), "unknown pooling");
    std::vector<suppression::Setting> all;
    for (const auto& name : settings_.texts("suppression.modes")) {
      const auto mode = suppression::parse_mode(name);
      expect(mode.has_value(), "unknown mode of suppression");
      std::vector<double> parameters = {0.0};
      if (*mode == suppression::Mode::hard_mask) parameters = settings_.numbers("suppression.tau");
      if (*mode == suppression::Mode::directional) {
        parameters = settings_.numbers("suppression.alpha");
      }
      for (const auto parameter : parameters) all.push_back({*mode, parameter, *parsed});
    }
    return all;
  }

  void cut_suppression(Stage& stage) {
    const auto& info = inputs_.baseline();
    const auto options =
        train_options(info.hidden_dim, static_cast<std::int64_t>(info.label_names.size()));
    for (const auto& variant : inputs_.variants()) {
      inputs_.require_span_means(variant, settings_.text("suppression.evidence_layer"));
      for (const auto& layer : settings_.texts("heads.layers")) {
        inputs_.require_span_means(variant, layer);
        for (const auto& pooling : settings_.texts("heads.pooling")) {
          for (const auto& setting : suppression_settings(pooling)) {
            const Suppression what{{variant, settings_.text("heads.head"), layer, pooling},
                                   setting};
            add_suppression_units(stage, what, options);
          }
        }
      }
    }
  }

  void add_suppression_units(Stage& stage, const Suppression& what,
                             const training::TrainOptions& options) {
    const auto& info = inputs_.baseline();
    for (const auto& block : seed_blocks()) {
      auto work = training_work(info.samples, info.hidden_dim, options, block.count, 1);
      work.bytes_read += info.samples * info.spans * info.hidden_dim * 2;
      work.peak_bytes += info.samples * (info.spans + 1) * info.hidden_dim * 4;
      const bool is_first = block.first == settings_.integer("heads.seeds.first");
      stage.units.push_back(
          {fmt::format("suppression/{}/{}/{}/{}-{:g}/{}", what.axis.variant, what.axis.layer,
                       what.axis.pooling, suppression::mode_name(what.setting.mode),
                       what.setting.parameter, key_of(block)),
           work,
           [this, what, block, is_first] { return suppressed_heads(what, block, is_first); }});
    }
  }

  suppression::Suppressed suppressed(const Suppression& what) const {
    const auto& axis = what.axis;
    const auto& evidence_layer = settings_.text("suppression.evidence_layer");
    const auto evidence = inputs_.evidence(axis.variant, evidence_layer);
    const auto span_means = inputs_.span_means(axis.variant, axis.layer);
    const auto pooled = inputs_.pooled(axis.variant, axis.layer, axis.pooling);
    return suppression::suppress(
        {inputs_.info(axis.variant), *pooled, *span_means, evidence->scores}, what.setting,
        {axis.layer, evidence_layer});
  }

  // A setting that changes no feature is told once, and nothing is trained.
  UnitRows suppressed_heads(const Suppression& what, const SeedBlock& seeds, bool is_first) const {
    auto edited = suppressed(what);
    UnitRows rows;
    edited.counts.variant = what.axis.variant;
    if (is_first) records::append_row(rows.tables, edited.counts);
    if (edited.counts.structural_no_op == 1) return rows;
    const auto on = standardized(std::move(edited.features), inputs_.baseline().split);
    const auto result = heads::train_block(decision_block(what.axis, on.features), seeds);
    const std::string mode(suppression::mode_name(what.setting.mode));
    const double parameter = what.setting.parameter;
    for (const auto& row : records::rows_of<records::SeedRow>(result.tables)) {
      records::append_row(
          rows.tables,
          records::SuppressedSeedRow{row.variant, row.head, row.layer, row.pooling, mode, parameter,
                                     row.seed, row.split, row.samples, row.accuracy,
                                     row.forbidden_errors, row.forbidden_truths, row.epochs});
    }
    for (const auto& row : records::rows_of<records::PredictionRow>(result.tables)) {
      records::append_row(rows.tables, records::SuppressedPredictionRow{
                                           row.variant, row.head, row.layer, row.pooling, mode,
                                           parameter, row.seed, row.predicted});
    }
    return rows;
  }

  std::vector<std::string> probed_layers() const {
    const auto& layers = settings_.texts("probes.layers");
    const auto& cached = inputs_.baseline().layers;
    for (const auto& layer : layers) {
      if (has(cached, layer)) continue;
      throw Error(ExitCode::bad_job, settings_.place_of("probes.layers"),
                  fmt::format("probes.layers name \"{}\", the caches have {}", layer,
                              fmt::join(cached, ", ")));
    }
    return layers.empty() ? cached : layers;
  }

  // The first that every layer of every variant has: layers are comparable in one pooling only.
  std::string probe_pooling(const std::vector<std::string>& layers) {
    const auto& asked = settings_.text("probes.pooling");
    const auto all_have = [&](const std::string& pooling) {
      for (const auto& variant : inputs_.variants()) {
        for (const auto& layer : layers) {
          const auto& cache = inputs_.cache(variant);
          const bool there = pooling == "evidence_mean" ? cache.has_span_means(layer)
                                                        : cache.has_pooled(layer, pooling);
          if (!there) return false;
        }
      }
      return true;
    };
    for (const std::string pooling : {"mean", "last_token", "evidence_mean"}) {
      if ((asked == "auto" || asked == pooling) && all_have(pooling)) return pooling;
    }
    if (asked != "auto") {
      for (const auto& variant : inputs_.variants()) {
        for (const auto& layer : layers) inputs_.require_pooling(variant, layer, asked);
      }
    }
    throw Error(ExitCode::bad_input, inputs_.cache(inputs_.variants().front()).path().string(),
                "no pooling is cached for all probed layers",
                "name layers that have one in probes.layers");
  }

  void cut_probes(Stage& stage) {
    const auto layers = probed_layers();
    const auto& info = inputs_.baseline();
    for (const auto& skill : settings_.texts("probes.skills")) {
      const bool of_spans = skill == "evidence";
      const auto pooling = of_spans ? std::string("span") : probe_pooling(layers);
      for (const auto& variant : inputs_.variants()) {
        const auto skill_labels = of_spans ? Skill{} : skill_of(variant, skill);
        for (std::size_t i = 0; i < layers.size(); ++i) {
          if (of_spans)
            inputs_.require_span_means(variant, layers[i]);
          else
            inputs_.require_pooling(variant, layers[i], pooling);
          const auto rows = info.samples * (of_spans ? info.spans : 1);
          Work work;
          work.flops = 150.0 * 4.0 * 3.0 * static_cast<double>(rows * info.hidden_dim);
          work.bytes_read = rows * info.hidden_dim * 2;
          work.peak_bytes = 3 * 4 * rows * info.hidden_dim;
          const probes::ProbePlace place{variant, layers[i], checked_cast<std::int32_t>(i), skill,
                                         pooling};
          stage.units.push_back(
              {fmt::format("probes/{}/{}/{}", variant, skill, layers[i]), work,
               [this, place, skill_labels] { return probe(place, skill_labels); }});
        }
      }
    }
  }

  struct Skill {
    std::vector<std::int8_t> labels;
    std::int64_t classes = 0;
  };

  Skill skill_of(const std::string& variant, const std::string& name) const {
    const auto& cache = inputs_.cache(variant);
    if (name == "decision") {
      return {cache.info().label, static_cast<std::int64_t>(cache.info().label_names.size())};
    }
    for (const auto& [skill, labels] : cache.skills()) {
      if (skill != name) continue;
      const auto highest = *std::max_element(labels.begin(), labels.end());
      return {labels, std::max<std::int64_t>(2, highest + 1)};
    }
    throw Error(ExitCode::bad_input, cache.path().string(), "has no skills/" + printable(name),
                "probes.skills are decision, evidence and the names below skills/");
  }

  UnitRows probe(const probes::ProbePlace& place, const Skill& skill) const {
    const auto kind = probes::parse_probe(settings_.text("probes.probe"));
    expect(kind.has_value(), "unknown kind of probe");
    const auto& info = inputs_.info(place.variant);
    auto data = place.skill == "evidence"
                    ? probes::data_of_spans(info, *inputs_.span_means(place.variant, place.layer))
                    : probes::data_of_samples(
                          info, *inputs_.pooled(place.variant, place.layer, place.pooling),
                          skill.labels, skill.classes, place.skill);
    const auto result =
        probes::run_probe(std::move(data), place, {*kind, settings_.number("probes.l2")});
    UnitRows rows;
    for (const auto& row : result.layers) records::append_row(rows.tables, row);
    for (const auto& row : result.predictions) records::append_row(rows.tables, row);
    return rows;
  }

  config::Settings settings_;
  HiddenInputs inputs_;
  std::optional<GeneratedDecisions> generation_;
  mutable SharedValues<std::pair<std::string, std::string>, SpanExamples> evidence_examples_{false};
  std::vector<Stage> stages_;
};

}  // namespace

std::unique_ptr<JobKind> open_hidden_job(const config::Settings& settings) {
  return std::make_unique<HiddenJob>(settings);
}

}  // namespace moesweep::pipeline
