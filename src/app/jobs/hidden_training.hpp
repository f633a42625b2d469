#pragma once
// What training means in this job: shared by heads with and without suppression.

#include <cstdint>
#include <string>
#include <vector>

#include "hidden_units.hpp"

namespace moesweep::jobs {

/// heads.seeds in pieces of heads.seeds_per_unit.
std::vector<heads::SeedBlock> seed_blocks(const config::Settings& settings);
/// As in unit keys: "000005-000009".
std::string key_of(const heads::SeedBlock& block);

training::TrainOptions train_options(const config::Settings& settings, std::int64_t inputs,
                                     std::int64_t outputs);
/// Of training `seeds` heads on [rows, columns].
HiddenWork training_work(const config::Settings& settings, std::int64_t rows, std::int64_t columns,
                         const training::TrainOptions& options, std::int64_t seeds,
                         std::int64_t most_tokens);

/// The classes that the job names; none for names that are no label.
training::Forbidden forbidden_of(const config::Settings& settings,
                                 const std::vector<std::string>& label_names);
/// Error(bad_job) unless the job's forbidden error is one of two labels of the caches.
void require_forbidden_labels(const HiddenContext& context);
/// Error(bad_job) when heads.early_stop has no calibration split to look at.
void require_calibration(const HiddenContext& context);
/// Fills block.options.class_weights where the job asks for them.
void add_class_weights(const config::Settings& settings, heads::Block& block);

/// Everything to train heads that tell a sample's label from `features`, which it refers to.
heads::Block decision_block(const HiddenContext& context, const heads::Axis& axis,
                            const training::FeatureMatrix& features);

/// Rows of a trained block and, where the job keeps heads, the file of them.
UnitRows rows_and_heads(const config::Settings& settings, heads::BlockResult result,
                        const heads::Axis& axis, const training::Standardization& by);

}  // namespace moesweep::jobs
