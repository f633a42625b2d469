#pragma once
// The layout of a cache in HDF5, read without the states.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <hdf5.h>

#include <moesweep/core/records/hidden_cache.hpp>

#include "hdf5_dataset.hpp"

namespace moesweep::store::layout {

inline constexpr auto labels = "labels";
inline constexpr auto split = "split";
inline constexpr auto sample_id = "sample_id";
inline constexpr auto cluster = "cluster";
inline constexpr auto cited = "cited";
inline constexpr auto span_tokens = "span_tokens";
inline constexpr auto n_tokens = "n_tokens";
inline constexpr auto skills = "skills";
inline constexpr auto offsets = "offsets";
inline constexpr auto spans = "spans";
inline constexpr auto span_mean = "span_mean";
inline constexpr auto states = "states";

/// What a group of states holds, with sizes as declared.
struct LayerShapes {
  std::map<std::string, std::vector<std::int64_t>> datasets;
};

/// One file: a cache, or token states alone.
struct FileShapes {
  std::map<std::string, LayerShapes> layers;
  std::vector<std::string> layer_names;  ///< as the attribute lists them; empty when it is missing
};

using Skills = std::vector<std::pair<std::string, std::vector<std::int8_t>>>;

FileShapes read_shapes(hid_t file, const std::string& file_name);
/// Datasets of samples and attributes of the file; `layers` is left empty.
records::HiddenCacheInfo read_samples(hid_t file, const std::string& file_name);
Skills read_skills(hid_t file, const std::string& file_name, std::int64_t samples);

/// Where each sample's tokens begin. Empty when the file has no /offsets. Error(bad_input) unless
/// they agree with the tokens and spans of `info`.
std::vector<std::int64_t> read_offsets(hid_t file, const std::string& file_name,
                                       const records::HiddenCacheInfo& info);
void check_offsets(const std::vector<std::int64_t>& token_offsets,
                   const records::HiddenCacheInfo& info, const std::string& file_name);

}  // namespace moesweep::store::layout
