#pragma once
// The files of a quantized checkpoint beside its weights, and what else its folder may hold.

#include <filesystem>
#include <string>
#include <string_view>

#include <moesweep/checkpoint/checkpoint.hpp>
#include <moesweep/quantized/layout.hpp>

namespace moesweep::pipeline {

/// Error(run_directory) when `out` is the source or holds weights that are not of `layout`.
void require_own_folder(const std::filesystem::path& out, const checkpoint::Checkpoint& source,
                        const quantized::Layout& layout);

/// Error(run_directory) when a sweep that has not begun would replace what is in `out`: weights or
/// the files beside them.
void require_nothing_to_replace(const std::filesystem::path& out);

/// Error(io_error) naming a file of the layout that is missing or of another size.
void require_shards(const std::filesystem::path& out, const quantized::Layout& layout);

/// config.json of the source as text; empty when it has none.
std::string config_of(const checkpoint::Checkpoint& source);

/// config.json with the keys of the JSON object `quantization`; without a source one of
/// `model_type` alone.
std::string merged_config(const std::string& source_config, std::string_view model_type,
                          const std::string& quantization);

/// model.safetensors.index.json.
std::string index_of(const quantized::Layout& layout);

/// Tokenizer, vocabulary, chat template and generation settings.
void copy_companions(const checkpoint::Checkpoint& source, const std::filesystem::path& out);

}  // namespace moesweep::pipeline
