#include <algorithm>

#include <moesweep/core/arrays/array_file.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/macos_file.hpp>
#include <moesweep/core/base/paths.hpp>

#include "npy_header.hpp"

namespace moesweep::arrays {

std::int64_t Array::elements() const {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return count;
}

void for_each_part(std::uint64_t bytes, std::int64_t element_bytes,
                   const std::function<void(std::uint64_t, std::size_t)>& piece) {
  constexpr std::uint64_t most = std::uint64_t{1} << 20;
  const auto element = checked_cast<std::uint64_t>(element_bytes);
  const auto part = most / element * element;
  for (std::uint64_t offset = 0; offset < bytes; offset += part) {
    piece(offset, std::min(part, bytes - offset));
  }
}

Array open_npy(const std::filesystem::path& path) {
  const auto place = path.string();
  const auto file = open_for_reading(path);
  const auto file_bytes = file_size(file, path);
  if (file_bytes < npy_prefix_bytes) {
    throw Error(ExitCode::bad_input, place, "is not an .npy array",
                "save the array with numpy.save");
  }
  std::vector<std::byte> bytes(npy_prefix_bytes);
  read_exactly(file, 0, bytes, path);
  bytes.resize(npy_header_bytes(bytes, file_bytes, place));
  read_exactly(file, 0, bytes, path);
  const auto header = parse_npy_header(bytes, file_bytes, place);
  return {place, header.type, header.shape, [path, header](const TakeBytes& take) {
            const auto npy_file = open_for_reading(path);
            std::vector<std::byte> data;
            for_each_part(header.data_bytes, header.type.bytes,
                          [&](std::uint64_t offset, std::size_t part_bytes) {
                            data.resize(part_bytes);
                            read_exactly(npy_file, header.data_begin + offset, data, path);
                            take(data);
                          });
          }};
}

Arrays open_npy_folder(const std::filesystem::path& folder) {
  Arrays arrays;
  for (const auto& path : paths_below(folder, ExitCode::bad_input)) {
    if (path.extension() != ".npy" || is_of_macos(path)) continue;
    auto name = path.lexically_relative(folder);
    arrays.emplace(name.replace_extension().generic_string(), open_npy(path));
  }
  return arrays;
}

}  // namespace moesweep::arrays
