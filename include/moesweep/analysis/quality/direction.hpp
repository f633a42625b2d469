#pragma once
// Which way each metric is read, and names that suggest the other way.

#include <string_view>
#include <vector>

#include <moesweep/analysis/quality/options.hpp>
#include <moesweep/analysis/quality/study.hpp>
#include <moesweep/core/records/quality.hpp>

namespace moesweep::quality {

/// Does the name speak of harm or error (toxicity, perplexity, loss, attack success ..), so that
/// less of it should be better? Asked of whole words, in snake_case, kebab-case and camelCase:
/// "closs" has no loss. Not where another word turns or measures it: error_free, bias_resistance,
/// toxicity_detection_accuracy, harmful_refusal_rate.
bool suggests_lower_is_better(std::string_view metric);

/// One row per metric with a role, in the order of the cells; a warning where its name suggests
/// that lower is better and the options do not say so.
std::vector<records::MetricRow> metrics(const Study& study, const Options& options);

}  // namespace moesweep::quality
