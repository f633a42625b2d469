#pragma once
// A checkpoint with what its config.json says of it: what sweeps, plans and writers start from.

#include <filesystem>
#include <string>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/source/model_config.hpp>
#include <moesweep/model/source/storage.hpp>

namespace moesweep::source {

struct ModelOptions {
  bool allow_incomplete = false;  ///< what is missing is a note, not an error
  std::vector<std::string> expert_patterns = {"experts"};
};

struct Model {
  checkpoint::Checkpoint checkpoint;  ///< stacks of experts are [E, out, in]
  ModelConfig config;
  Storage storage;
  std::vector<std::string> missing;  ///< only with ModelOptions::allow_incomplete
  /// Said once to whoever opened it: what was ignored, what is missing, how weights are stored.
  std::vector<std::string> notes;
};

/// Opens a checkpoint (headers and config.json only) and refuses, as Error(bad_input) naming it,
/// what is not all there (unless allowed), and stacks of experts whose shapes contradict the
/// family. Codes are recognized, not refused: see refuse_codes().
Model open_model(const std::filesystem::path& path, const ModelOptions& options = {});

/// The same of a checkpoint that has no folder, a synthetic twin or a list of shapes: nothing is
/// promised, so nothing can be missing, and stacks stay as they are (a scaled twin has other ratios
/// of sides than its model).
Model as_model(checkpoint::Checkpoint checkpoint);

/// Error(bad_input) naming what is missing, if anything is.
void require_whole(const Model& model);

/// Error(bad_input) when any tensor is stored as codes.
void require_weights(const Model& model);

}  // namespace moesweep::source
