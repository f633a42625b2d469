#include <algorithm>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/file_hash.hpp>

namespace moesweep {

Hash128 hash_of_file(const std::filesystem::path& path) {
  constexpr std::uint64_t piece_bytes = std::uint64_t{4} << 20;
  const auto file = open_for_reading(path);
  const auto size = file_size(file, path);
  Hasher128 hasher;
  std::vector<std::byte> piece;
  for (std::uint64_t offset = 0; offset < size; offset += piece.size()) {
    piece.resize(checked_cast<std::size_t>(std::min(piece_bytes, size - offset)));
    read_exactly(file, offset, piece, path);
    hasher.add(piece);
  }
  return hasher.finish();
}

}  // namespace moesweep
