#pragma once
// What a cache holds beside its states, on its way out of the process that HDF5 runs in.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <hdf5.h>

#include <moesweep/core/records/hidden_cache.hpp>

#include "frames.hpp"
#include "hidden_cache_layout.hpp"

namespace moesweep::store {

/// More of this is not read.
inline constexpr std::uint64_t most_content_bytes = std::uint64_t{1} << 30;

struct CacheContents {
  records::HiddenCacheInfo info;  ///< without `variant` and `layers`
  layout::FileShapes shapes;
  layout::Skills skills;
  std::vector<std::int64_t> token_offsets;
};

void send_contents(const CacheContents& contents, FrameWriter& frames);
/// Sizes are taken from the values themselves, and everything about them still has to be checked.
CacheContents receive_contents(FrameReader& frames, const std::string& file_name);

/// `read` runs in a process of its own, on the open file.
CacheContents read_contents(const std::filesystem::path& path,
                            const std::function<CacheContents(hid_t file)>& read);

}  // namespace moesweep::store
