#include <algorithm>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/checkpoint/header.hpp>

#include "header_events.hpp"
#include "other_files.hpp"

namespace moesweep::checkpoint {
namespace {

constexpr std::uint64_t prefix_bytes = 8;

void refuse_duplicates(const std::vector<TensorEntry>& entries, const std::string& file) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const auto& entry : entries) names.emplace_back(entry.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return;
  throw Error(ExitCode::bad_input, file, fmt::format("tensor {} appears twice", in_quotes(*twice)),
              "write the file again with one tensor a name");
}

// `entries` in order of their offsets must follow each other from data_begin to file_bytes.
void refuse_gaps(const std::vector<TensorEntry>& entries, std::uint64_t data_begin,
                 std::uint64_t file_bytes, const std::string& file) {
  auto covered = data_begin;
  for (const auto& entry : entries) {
    if (entry.byte_begin != covered) {
      const bool hole = entry.byte_begin > covered;
      throw Error(ExitCode::bad_input, file,
                  hole ? fmt::format("{} bytes before tensor {} belong to no tensor",
                                     entry.byte_begin - covered, in_quotes(entry.name))
                       : fmt::format("tensor {} overlaps the one before it", in_quotes(entry.name)),
                  "the header is damaged, download or write the file again");
    }
    covered = entry.byte_end;
  }
  if (covered != file_bytes) {
    throw Error(ExitCode::bad_input, file,
                fmt::format("{} trailing bytes belong to no tensor", file_bytes - covered),
                "the file is damaged, download or write it again");
  }
}

}  // namespace

std::uint64_t header_bytes(std::span<const std::byte> first8, std::uint64_t file_bytes,
                           const std::string& file) {
  const auto refuse = [&file](std::string problem) {
    throw Error(ExitCode::bad_input, file, std::move(problem),
                "the file is truncated or not safetensors, copy or download it again");
  };
  if (first8.size() < prefix_bytes || file_bytes < prefix_bytes) {
    refuse("is shorter than the 8 bytes a safetensors file starts with");
  }
  refuse_other_files(first8.first(prefix_bytes), file);
  std::uint64_t length = 0;
  for (std::size_t i = prefix_bytes; i-- > 0;) {
    length = length << 8 | std::to_integer<std::uint64_t>(first8[i]);
  }
  if (length == 0) refuse("has an empty header");
  if (length > max_header_bytes || length > file_bytes - prefix_bytes) {
    refuse_text(first8.first(prefix_bytes), file);
  }
  if (length > max_header_bytes) {
    refuse(fmt::format("header of {} bytes is above the limit of {}", length, max_header_bytes));
  }
  if (length > file_bytes - prefix_bytes) {
    refuse(fmt::format("header of {} bytes does not fit in the file of {}", length, file_bytes));
  }
  return prefix_bytes + length;
}

std::vector<TensorEntry> parse_header(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                                      const std::string& file) {
  const auto data_begin = header_bytes(bytes, file_bytes, file);
  expect(bytes.size() >= data_begin, "parse_header needs the whole header");
  HeaderEvents events(file, data_begin, file_bytes - data_begin);
  read_json(bytes.subspan(prefix_bytes, data_begin - prefix_bytes), events);
  auto entries = events.take();
  refuse_duplicates(entries, file);
  // An empty tensor comes before the one that starts where it stands.
  std::sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::tie(a.byte_begin, a.byte_end, a.name) < std::tie(b.byte_begin, b.byte_end, b.name);
  });
  refuse_gaps(entries, data_begin, file_bytes, file);
  return entries;
}

}  // namespace moesweep::checkpoint
