#pragma once
// What tells one sample from all others: two lines with the same key are the same sample twice.

#include <cstddef>
#include <cstring>
#include <string>

#include <moesweep/core/base/hash.hpp>

#include "line_reader.hpp"
#include "sample_parser.hpp"

namespace moesweep::quality {

/// Of model, level, task, metric and the name of the sample, which is not empty. `scratch` keeps
/// its room from call to call.
Hash128 sample_key(const Sample& sample, std::string& scratch);

/// For unordered containers of hashes: its first word.
struct HashOfKey {
  std::size_t operator()(const Hash128& key) const {
    std::size_t word = 0;
    std::memcpy(&word, key.bytes.data(), sizeof word);
    return word;
  }
};

/// Error(bad_input) at the last line of `reader`, whose sample is the same as that of the line at
/// `first_offset`.
Error told_twice(const Sample& sample, const LineReader& reader, std::uint64_t first_offset);

/// Where the first line of the file with this key begins; 0 where it has none.
std::uint64_t offset_of_first(const std::filesystem::path& file, const Hash128& key);

}  // namespace moesweep::quality
