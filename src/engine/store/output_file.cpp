#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/file_hash.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/quantize.hpp>
#include <moesweep/engine/store/output_file.hpp>

namespace moesweep::store {
namespace {

namespace fs = std::filesystem;
using Place = OutputFile::Place;

OutputFile file_of(Place place, const std::string& name, std::int64_t bytes,
                   const std::optional<Hash128>& hash, const std::string& named_in) {
  if (!is_plain_file_name(name) || !hash || bytes < 0) {
    throw Error(ExitCode::bad_input, named_in,
                fmt::format("names the file \"{}\", which is not of this sweep", printable(name)),
                "somebody else has written it: do not use this run directory");
  }
  return {place, name, bytes, *hash};
}

}  // namespace

std::string artifact_name(std::string_view stem, const Hash128& hash, std::string_view suffix) {
  const auto end = fmt::format("-{}.{}", hash.hex(), suffix);
  return plain_file_name(plain_file_name(stem, longest_file_name - end.size()) + end);
}

std::optional<Hash128> artifact_hash(std::string_view name) {
  constexpr std::size_t digits = 32;
  if (!is_plain_file_name(name)) return std::nullopt;
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot < digits + 2) return std::nullopt;
  const auto begin = dot - digits;
  if (name[begin - 1] != '-') return std::nullopt;
  return parse_hash128(name.substr(begin, digits));
}

const std::vector<std::string>& tables_of_output_files() {
  static const std::vector<std::string> names = {
      records::table_info<records::ArtifactRow>().name,
      records::table_info<records::QuantizedShardRow>().name};
  return names;
}

std::vector<OutputFile> output_files(const records::Tables& rows, const std::string& place) {
  std::vector<OutputFile> files;
  for (const auto& row : records::rows_of<records::ArtifactRow>(rows)) {
    files.push_back(file_of(Place::artifacts, row.file, row.bytes, artifact_hash(row.file), place));
  }
  for (const auto& row : records::rows_of<records::QuantizedShardRow>(rows)) {
    files.push_back(
        file_of(Place::checkpoint, row.file, row.bytes, parse_hash128(row.xxh3_128), place));
  }
  return files;
}

std::string damage_of(const OutputFile& file, const fs::path& path, Look look) {
  const auto status = status_of(path);
  if (!fs::exists(status)) return "is missing";
  if (!fs::is_regular_file(status)) return "is not a regular file";
  const auto bytes = size_of_file_at(path);
  if (!bytes) return "is missing";  // since just now
  if (!std::cmp_equal(*bytes, file.bytes)) {
    return fmt::format("has {} bytes, {} were written", *bytes, file.bytes);
  }
  if (look == Look::size || hash_of_file(path) == file.hash) return {};
  return "does not match its hash";
}

}  // namespace moesweep::store
