#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/macos_file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/plans/found/found.hpp>
#include <moesweep/plans/found/gguf_header.hpp>

#include "module_tensors.hpp"

namespace moesweep::found {
namespace {

namespace fs = std::filesystem;

struct SplitName {
  std::string stem;
  std::uint64_t number = 0;  ///< from 1
  std::uint64_t count = 0;
};

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t number = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc{} && stopped == end ? std::optional(number) : std::nullopt;
}

/// llama-gguf-split: "%s-%05d-of-%05d.gguf".
std::optional<SplitName> split_name(std::string_view name) {
  constexpr std::string_view shape = "-00001-of-00003.gguf";
  if (name.size() < shape.size()) return std::nullopt;
  const auto stem = name.substr(0, name.size() - shape.size());
  const auto end = name.substr(stem.size());
  if (end[0] != '-' || end.substr(6, 4) != "-of-" || end.substr(15) != ".gguf") return std::nullopt;
  const auto number = number_of(end.substr(1, 5));
  const auto count = number_of(end.substr(10, 5));
  if (!number || !count) return std::nullopt;
  return SplitName{std::string(stem), *number, *count};
}

fs::path only_model_of(const fs::path& folder) {
  std::set<fs::path> files;
  for (const auto& name : names_in_folder(folder, ExitCode::bad_input)) {
    const auto path = folder / name;
    if (path.extension() != ".gguf" || is_of_macos(path)) continue;
    const auto split = split_name(name);
    if (!split || split->number == 1) files.insert(path);
  }
  if (files.size() == 1) return *files.begin();
  throw Error(
      ExitCode::bad_input, folder.string(),
      files.empty() ? "lacks the first file of its split GGUF model" : "has several GGUF models",
      "name the file to check");
}

std::vector<fs::path> files_of(const fs::path& path) {
  const auto first = is_folder(path, ExitCode::bad_input) ? only_model_of(path) : path;
  const auto split = split_name(first.filename().string());
  if (!split) return {first};
  std::vector<fs::path> files;
  for (std::uint64_t number = 1; number <= split->count; ++number) {
    files.push_back(first.parent_path() /
                    fmt::format("{}-{:05}-of-{:05}.gguf", split->stem, number, split->count));
    if (!fs::exists(status_of(files.back(), ExitCode::bad_input))) {
      throw Error(ExitCode::bad_input, files.back().string(), "is missing of the split model");
    }
  }
  return files;
}

GgufHeader read_header(const fs::path& path, std::uint64_t size, const FileDescriptor& file) {
  const GgufBytes bytes{size, [&](std::uint64_t offset, std::span<std::byte> out) {
                          read_exactly(file, offset, out, path);
                        }};
  return parse_gguf(bytes, path.string());
}

void check_split(const GgufHeader& header, const fs::path& path, std::size_t number,
                 std::size_t count) {
  const auto expected = count == 1 && header.split_count == 0 ? 0 : count;
  if (header.split_count == expected && header.split_number == number) return;
  throw Error(ExitCode::bad_input, path.string(),
              fmt::format("says it is file {} of {} of a split model, its name says {} of {}",
                          header.split_number + 1, header.split_count, number + 1, count),
              "give the files the names that they were written with");
}

FoundModule module_of(const GgufTensor& tensor) {
  FoundModule module;
  constexpr std::string_view weight = ".weight";
  module.name = tensor.name.ends_with(weight)
                    ? tensor.name.substr(0, tensor.name.size() - weight.size())
                    : tensor.name;
  module.element = tensor.type->name;
  module.encoding.bits = tensor.type->bits;
  module.shape = tensor.shape;
  module.bytes = checked_cast<std::int64_t>(tensor.byte_end - tensor.byte_begin);
  if (tensor.type->is_quantized()) {
    module.encoding.quantizer = tensor.type->name;
    module.encoding.group_size = tensor.type->group;
  }
  return module;
}

}  // namespace

Found find_gguf(const fs::path& path) {
  const auto files = files_of(path);
  Found found{.format = Format::gguf};
  std::set<std::string> names;
  for (std::size_t number = 0; number < files.size(); ++number) {
    const auto file = open_for_reading(files[number]);
    const auto size = file_size(file, files[number]);
    const auto header = read_header(files[number], size, file);
    check_split(header, files[number], number, files.size());
    found.bytes += checked_cast<std::int64_t>(size);
    for (const auto& tensor : header.tensors) {
      if (!names.insert(tensor.name).second) {
        throw Error(ExitCode::bad_input, files[number].string(),
                    fmt::format("tensor \"{}\" is also in another file of the split", tensor.name));
      }
      found.modules.push_back(module_of(tensor));
    }
  }
  sort_by_name(found);
  return found;
}

}  // namespace moesweep::found
