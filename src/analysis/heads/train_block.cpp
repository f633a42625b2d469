#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <moesweep/analysis/heads/train_block.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::heads {
namespace {

using training::Evaluation;
using training::SplitEvaluation;

void add_seed_row(records::Tables& tables, const Axis& axis, std::int64_t seed,
                  const char* split_name, const SplitEvaluation& split, std::int64_t epochs) {
  records::append_row(
      tables,
      records::SeedRow{axis.variant, axis.head, axis.layer, axis.pooling, seed, split_name,
                       split.samples, split.accuracy, split.loss, split.auc, split.auc_interval.lo,
                       split.auc_interval.hi, split.ece, split.forbidden_errors,
                       split.forbidden_truths, checked_cast<std::int32_t>(epochs)});
}

void add_confusion(records::Tables& tables, const Axis& axis, std::int64_t seed,
                   const char* split_name, const SplitEvaluation& split,
                   const std::vector<std::string>& label_names) {
  const auto classes = label_names.size();
  for (std::size_t truth = 0; truth < classes; ++truth) {
    const auto row = std::span(split.confusion).subspan(truth * classes, classes);
    std::int64_t total = 0;
    for (const auto count : row) total += count;
    for (std::size_t predicted = 0; predicted < classes; ++predicted) {
      const double share = total == 0
                               ? std::numeric_limits<double>::quiet_NaN()
                               : static_cast<double>(row[predicted]) / static_cast<double>(total);
      records::append_row(
          tables,
          records::ConfusionRow{axis.variant, axis.head, axis.layer, axis.pooling, seed, split_name,
                                label_names[truth], label_names[predicted], row[predicted], share});
    }
  }
}

void add_evaluation(records::Tables& tables, const Axis& axis, std::int64_t seed,
                    const Evaluation& evaluation, std::int64_t epochs,
                    const std::vector<std::string>& label_names) {
  for (std::size_t s = 0; s < evaluation.splits.size(); ++s) {
    const auto& split = evaluation.splits[s];
    if (split.samples == 0) continue;
    add_seed_row(tables, axis, seed, records::split_names[s], split, epochs);
    add_confusion(tables, axis, seed, records::split_names[s], split, label_names);
  }
  records::append_row(tables, records::PredictionRow{axis.variant, axis.head, axis.layer,
                                                     axis.pooling, seed, evaluation.predicted});
}

// A head that overflowed would choose the first class everywhere.
void require_finite(const std::vector<float>& logits, const Axis& axis, std::int64_t seed) {
  if (std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); })) return;
  throw Error(ExitCode::bad_input,
              fmt::format("{}, {}/{}, seed {}", axis.variant, axis.layer, axis.pooling, seed),
              "the trained head gives values that are not finite",
              "a state is far larger than its train split tells, or heads.learning_rate too high");
}

// Spans that are not there get no digit.
std::string in_slots(const std::string& predicted, const Block& block) {
  if (block.slots.empty()) return predicted;
  std::string out(checked_cast<std::size_t>(block.slot_count), '-');
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    out[checked_cast<std::size_t>(block.slots[i])] = predicted[i];
  }
  return out;
}

}  // namespace

BlockResult train_block(const Block& block, const SeedBlock& seeds) {
  BlockResult result;
  for (auto seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    auto head =
        training::train<float>(block.examples, block.options, checked_cast<std::uint64_t>(seed));
    const auto logits = training::logits_of(head, block.examples);
    require_finite(logits, block.axis, seed);
    auto evaluation = training::evaluate(logits, block.options.shape.outputs, block.examples.labels,
                                         block.examples.split, block.forbidden);
    evaluation.predicted = in_slots(evaluation.predicted, block);
    add_evaluation(result.tables, block.axis, seed, evaluation, head.epochs, block.label_names);
    result.heads.push_back({seed, std::move(head.tensors)});
  }
  return result;
}

records::Tables rows_of_decisions(const Axis& axis, const Evaluation& evaluation,
                                  const std::vector<std::string>& label_names) {
  records::Tables tables;
  add_evaluation(tables, axis, 0, evaluation, 0, label_names);
  return tables;
}

}  // namespace moesweep::heads
