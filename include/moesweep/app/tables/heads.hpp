#pragma once
// Trained heads for other programs.

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include <moesweep/core/records/heads.hpp>

namespace moesweep::tables {

/// Writes one NumPy archive a seed, <variant>-<head>-<layer>-<pooling>-seed<seed>.npz in `output`,
/// a folder that is created when missing; what no file name has (base/foreign_name.hpp) is
/// replaced. Members are float32: the head's tensors with PyTorch's names and layouts (fc1.weight
/// fc1.bias fc2.weight fc2.bias of an mlp), __standardize_mean__ and
/// __standardize_std__, to be applied to features before. `artifacts` is the folder of the files
/// that the rows name; a name must be an artifact's (store/output_file.hpp), and what is written
/// are bytes whose hash the name carries. Returns what was written. Error(bad_usage) for a file
/// that exists and may not be replaced, Error(bad_input) for no rows at all and, before anything is
/// written, for an artifact that is missing or damaged; Error(io_error) when writing fails, the
/// files before it are complete then.
std::vector<std::filesystem::path> export_heads(const std::filesystem::path& artifacts,
                                                std::span<const records::ArtifactRow> rows,
                                                const std::filesystem::path& output,
                                                bool overwrite);

}  // namespace moesweep::tables
