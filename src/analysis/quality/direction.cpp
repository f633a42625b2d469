#include <algorithm>
#include <cctype>
#include <span>
#include <string>

#include <fmt/format.h>

#include <moesweep/analysis/quality/direction.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::quality {
namespace {

using Words = std::vector<std::string>;

enum class Letter { other, lower, upper, digit };

Letter letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (std::islower(byte) != 0) return Letter::lower;
  if (std::isupper(byte) != 0) return Letter::upper;
  return std::isdigit(byte) != 0 ? Letter::digit : Letter::other;
}

/// A capital begins a word after a small letter, and before one: "NLLLoss" is nll, loss.
bool begins_word(std::string_view name, std::size_t i) {
  const auto before = letter(name[i - 1]);
  const auto here = letter(name[i]);
  if (before == Letter::other || (here == Letter::digit) != (before == Letter::digit)) return true;
  if (here != Letter::upper) return false;
  const bool small_follows = i + 1 < name.size() && letter(name[i + 1]) == Letter::lower;
  return before == Letter::lower || small_follows;
}

Words words_of(std::string_view name) {
  Words words;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (letter(name[i]) == Letter::other) continue;
    if (i == 0 || begins_word(name, i)) words.emplace_back();
    words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return words;
}

/// Lists are words with a space behind each.
bool is_among(std::string_view list, const std::string& word) {
  for (auto at = list.find(word + ' '); at != list.npos; at = list.find(word + ' ', at + 1)) {
    if (at == 0 || list[at - 1] == ' ') return true;
  }
  return false;
}

constexpr std::string_view of_harm =
    "toxicity toxic perplexity ppl loss losses nll bpb crossentropy error errors err wer "
    "cer mse rmse nrmse mae mape ece brier kl kld divergence asr attack attacks jailbreak "
    "jailbreaks jailbroken harm harms harmful unsafe danger dangerous harmfulness violation "
    "violations violating breach breaches hallucination hallucinations hallucinated bias "
    "biased stereotype stereotypes stereotyping hate hateful offensive profanity "
    "offensiveness misinformation falsehood latency falsehoods leak leaks leakage fpr fnr "
    "failure failures overrefusal sycophancy deception crashes repetition regret "
    "degeneration vulnerability vulnerabilities ";

/// Of harm, they turn its meaning, or say how well it is found: bias_resistance, harmful_refusal.
constexpr std::string_view turning_before =
    "free resistance resistant robust robustness avoidance avoided averted prevention "
    "prevented reduction mitigation mitigated detection accuracy acc f auc auroc recall "
    "precision refusal refusals refused rejection rejected blocked correction absence lack "
    "corrected defense defence removal ";

/// Before a word of harm they turn it: no_harm.
constexpr std::string_view turning_next = "no non not without anti zero ";

constexpr std::string_view prepositions = "to against from of ";

/// Pairs of words that mean harm together, whatever the second alone.
bool is_harmful_pair(const std::string& first, const std::string& second) {
  constexpr std::string_view wrongly = "positive positives negative negatives refusal refusals ";
  return (first == "false" && is_among(wrongly, second)) ||
         (first == "over" && (second == "refusal" || second == "refusals")) ||
         (first == "cross" && second == "entropy");
}

enum class Sense { none, harm, good };

/// What the last word with a sense says: an accuracy_loss is a loss, a loss_reduction none.
Sense sense_of(std::span<const std::string> words) {
  Sense sense = Sense::none;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool turned = i > 0 && is_among(turning_next, words[i - 1]);
    if (i > 0 && is_harmful_pair(words[i - 1], words[i])) {
      sense = Sense::harm;
    } else if (is_among(of_harm, words[i])) {
      sense = turned ? Sense::good : Sense::harm;
    } else if (is_among(turning_before, words[i])) {
      sense = Sense::good;
    }
  }
  return sense;
}

}  // namespace

bool suggests_lower_is_better(std::string_view metric) {
  const auto words = words_of(metric);
  // In "robustness to attacks" the word before decides.
  const auto preposition = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return is_among(prepositions, word);
  });
  const auto before = sense_of({words.begin(), preposition});
  if (preposition != words.end() && before != Sense::none) return before == Sense::harm;
  return sense_of(words) == Sense::harm;
}

std::vector<records::MetricRow> metrics(const Study& study, const Options& options) {
  std::vector<records::MetricRow> rows;
  for (const auto* role : {"quality", "safety", "capability"}) {
    for (const auto& metric : study.metrics(role)) {
      records::MetricRow row;
      row.metric = metric;
      row.role = role;
      const bool lower = contains(options.lower_is_better, metric);
      row.direction = lower ? "lower_is_better" : "higher_is_better";
      row.yes_no = static_cast<std::int8_t>(study.is_yes_no(metric));
      if (!lower && suggests_lower_is_better(metric)) {
        row.warning = fmt::format(
            "{} is read as higher is better, its name suggests the opposite: if less is better, "
            "add it to quality.metrics.lower_is_better",
            printable(metric));
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace moesweep::quality
