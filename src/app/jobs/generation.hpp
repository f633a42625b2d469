#pragma once
// Decisions that a model generated, as a baseline beside those of heads.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::jobs {

struct GeneratedDecisions {
  std::map<std::string, std::vector<std::int8_t>> by_variant;  ///< [N], in the order of the caches
  Hash128 content_hash;
};

/// One JSON object a line: {"variant", "sample_id", "truth", "predicted"}. Every sample of a
/// variant that appears needs one line. Error(bad_input) naming file and line for a line that is no
/// such object, an unknown sample or label, a truth other than the caches', a sample told twice or
/// missing, and a file of more than largest_text_file bytes (base/file.hpp).
GeneratedDecisions read_generation(const std::filesystem::path& file,
                                   const records::HiddenCacheInfo& samples);

}  // namespace moesweep::jobs
