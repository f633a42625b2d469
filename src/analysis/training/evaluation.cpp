#include <algorithm>
#include <cmath>
#include <limits>

#include <moesweep/analysis/training/evaluation.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/roc.hpp>

namespace moesweep::training {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t most_classes = 10;
constexpr std::size_t bins = 10;
constexpr double auc_alpha = 0.05;

// Probabilities [N, classes] in double; one logit becomes two classes.
std::vector<double> probabilities_of(std::span<const float> logits, std::int64_t outputs) {
  const auto width = static_cast<std::size_t>(outputs);
  std::vector<double> out;
  for (std::size_t i = 0; i < logits.size(); i += width) {
    std::vector<double> row(logits.begin() + static_cast<std::ptrdiff_t>(i),
                            logits.begin() + static_cast<std::ptrdiff_t>(i + width));
    if (width == 1) row.insert(row.begin(), 0.0);
    const double largest = *std::max_element(row.begin(), row.end());
    double sum = 0.0;
    for (auto& value : row) sum += value = std::exp(value - largest);
    for (const auto value : row) out.push_back(value / sum);
  }
  return out;
}

struct Bin {
  double right = 0.0;
  double confidence = 0.0;
};

class SplitSums {
 public:
  explicit SplitSums(std::size_t classes) : classes_(classes) {
    out_.confusion.assign(classes * classes, 0);
  }

  void add(std::int8_t truth, std::int8_t predicted, const Forbidden& forbidden) {
    ++out_.samples;
    right_ += truth == predicted;
    ++out_.confusion[static_cast<std::size_t>(truth) * classes_ +
                     static_cast<std::size_t>(predicted)];
    if (truth != forbidden.truth) return;
    ++out_.forbidden_truths;
    out_.forbidden_errors += predicted == forbidden.predicted;
  }

  void add_probabilities(std::int8_t truth, std::int8_t predicted, std::span<const double> row) {
    loss_ -= std::log(
        std::max(row[static_cast<std::size_t>(truth)], std::numeric_limits<double>::min()));
    const double confidence = row[static_cast<std::size_t>(predicted)];
    auto& bin = bins_[std::min(bins - 1, static_cast<std::size_t>(confidence * bins))];
    bin.right += truth == predicted ? 1.0 : 0.0;
    bin.confidence += confidence;
    if (classes_ != 2) return;
    scores_.push_back(std::log(row[1]) - std::log(row[0]));
    positive_.push_back(truth);
  }

  SplitEvaluation finish(bool has_probabilities) {
    const auto count = static_cast<double>(out_.samples);
    out_.accuracy = out_.samples == 0 ? nan : static_cast<double>(right_) / count;
    out_.loss = out_.ece = out_.auc = nan;
    if (!has_probabilities || out_.samples == 0) return std::move(out_);
    out_.loss = loss_ / count;
    out_.ece = 0.0;
    for (const auto& bin : bins_) out_.ece += std::abs(bin.right - bin.confidence) / count;
    if (classes_ == 2) {
      out_.auc = stats::roc_auc(scores_, positive_);
      out_.auc_interval = stats::roc_auc_interval(scores_, positive_, auc_alpha);
    }
    return std::move(out_);
  }

 private:
  std::size_t classes_;
  SplitEvaluation out_;
  std::int64_t right_ = 0;
  double loss_ = 0.0;
  std::array<Bin, bins> bins_{};
  std::vector<double> scores_;
  std::vector<std::int8_t> positive_;
};

// `probabilities` is empty for decisions alone.
Evaluation evaluate_all(std::span<const std::int8_t> decided, std::span<const double> probabilities,
                        std::int64_t classes, std::span<const std::int8_t> labels,
                        std::span<const std::int8_t> split, const Forbidden& forbidden) {
  expect(classes >= 2 && classes <= most_classes, "2 to 10 classes");
  expect(decided.size() == labels.size() && split.size() == labels.size(),
         "one decision, label and split an example");
  const auto width = static_cast<std::size_t>(classes);
  std::array<SplitSums, 3> sums = {SplitSums(width), SplitSums(width), SplitSums(width)};
  Evaluation out;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    auto& sum = sums[checked_cast<std::size_t>(split[i])];
    sum.add(labels[i], decided[i], forbidden);
    if (!probabilities.empty()) {
      sum.add_probabilities(labels[i], decided[i], probabilities.subspan(i * width, width));
    }
    out.predicted += static_cast<char>('0' + decided[i]);
  }
  for (std::size_t s = 0; s < sums.size(); ++s) {
    out.splits[s] = sums[s].finish(!probabilities.empty());
  }
  return out;
}

}  // namespace

std::int8_t class_named(const std::vector<std::string>& label_names, const std::string& name) {
  const auto found = std::find(label_names.begin(), label_names.end(), name);
  return static_cast<std::int8_t>(found == label_names.end() ? -1 : found - label_names.begin());
}

Forbidden forbidden_named(const std::vector<std::string>& label_names, const std::string& truth,
                          const std::string& predicted) {
  const Forbidden named{class_named(label_names, truth), class_named(label_names, predicted)};
  return named.truth < 0 || named.predicted < 0 ? Forbidden{} : named;
}

Evaluation evaluate(std::span<const float> logits, std::int64_t outputs,
                    std::span<const std::int8_t> labels, std::span<const std::int8_t> split,
                    const Forbidden& forbidden) {
  const auto probabilities = probabilities_of(logits, outputs);
  const auto classes = std::max<std::int64_t>(outputs, 2);
  std::vector<std::int8_t> decided;
  for (auto row = probabilities.begin(); row != probabilities.end(); row += classes) {
    decided.push_back(static_cast<std::int8_t>(std::max_element(row, row + classes) - row));
  }
  return evaluate_all(decided, probabilities, classes, labels, split, forbidden);
}

Evaluation evaluate_decisions(std::span<const std::int8_t> decided, std::int64_t classes,
                              std::span<const std::int8_t> labels,
                              std::span<const std::int8_t> split, const Forbidden& forbidden) {
  return evaluate_all(decided, {}, classes, labels, split, forbidden);
}

}  // namespace moesweep::training
