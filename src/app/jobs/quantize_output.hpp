#pragma once
// The files of a quantized checkpoint beside its weights, and what else its folder may hold.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/plans/written/layout.hpp>

namespace moesweep::jobs {

/// Error(run_directory) when `out` is the source or holds weights that are not of `layout`.
void require_own_folder(const std::filesystem::path& out, const checkpoint::Checkpoint& source,
                        const written::Layout& layout, std::string_view suffix);

/// Error(run_directory) when a sweep that has not begun would replace what is in `out`: weights or
/// the files beside them.
void require_nothing_to_replace(const std::filesystem::path& out, std::string_view suffix);

/// Error(io_error) naming a file of the layout that is missing or of another size.
void require_shards(const std::filesystem::path& out, const written::Layout& layout);

/// config.json of the source as text; empty when it has none. Error(bad_input) when it is a link
/// that leads out of the source: what is written from it is published.
std::string config_of(const checkpoint::Checkpoint& source);

/// config.json with the keys of the object `quantization`, and `model_type` where it has none.
/// NaN and infinities are kept as Python's json writes them. Error(bad_input) for a source that is
/// no JSON object.
std::string merged_config(const std::string& source_config, std::string_view model_type,
                          const nlohmann::ordered_json& quantization);

/// model.safetensors.index.json.
std::string index_of(const written::Layout& layout);

/// Tokenizer, vocabulary, chat template and generation settings.
struct CompanionFiles {
  struct File {
    std::string name;            ///< in the folder of the checkpoint
    std::filesystem::path path;  ///< links followed
  };
  std::vector<File> files = {};
  std::vector<std::string> left_out = {};  ///< "<name> is not copied: <why>"
};

/// Those of a checkpoint. Error(bad_input) for one that is a link out of it: it could be any file
/// of whoever runs this.
CompanionFiles companions_of(const checkpoint::Checkpoint& source);

void copy_companions(const CompanionFiles& companions, const std::filesystem::path& out);

}  // namespace moesweep::jobs
