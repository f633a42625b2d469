#include "quantize_output.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/arrays/array_file.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/json.hpp>
#include <moesweep/core/base/macos_file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/retried.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/checkpoint/companion.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>
#include <moesweep/model/checkpoint/shards.hpp>

namespace moesweep::jobs {
namespace {

namespace fs = std::filesystem;

constexpr auto index_file = checkpoint::index_file_name;
constexpr auto config_file = checkpoint::config_name;
constexpr std::array companion_globs = {
    "tokenizer*",          "vocab*",        "merges*",
    "special_tokens_map*", "added_tokens*", "generation_config*",
    "chat_template*",      "*.jinja",       "*.model"};

bool is_companion(const std::string& name) {
  return !is_of_macos(name) && std::ranges::any_of(companion_globs, [&](const char* glob) {
    return matches_glob(glob, name);
  });
}

/// Empty for a source without a folder of its own.
fs::path folder_of(const checkpoint::Checkpoint& source) {
  if (source.source != nullptr || !is_folder(source.directory, ExitCode::bad_input)) return {};
  return source.directory;
}

/// Sorted; none of a folder that is not there.
std::vector<std::string> names_in(const fs::path& folder, ExitCode forbidden) {
  if (!fs::exists(status_of(folder, forbidden))) return {};
  return names_in_folder(folder, forbidden);
}

/// The file is there, with its size.
bool is_written(const fs::path& out, const written::StoredShard& shard) {
  const auto bytes = size_of_file_at(out / shard.file);
  return bytes && std::cmp_equal(*bytes, shard.bytes);
}

/// The same file or folder, by whatever path; false where one is not there.
bool is_same_place(const fs::path& one, const fs::path& other) {
  bool is_same = false;
  const auto error =
      retried_with_code([&](std::error_code& code) { is_same = fs::equivalent(one, other, code); });
  if (error && error != std::errc::no_such_file_or_directory) {
    throw unreadable(one, error.value());
  }
  return is_same;
}

void leave_out(CompanionFiles& companions, const std::string& name, std::string_view why) {
  companions.left_out.push_back(fmt::format("{} is not copied: {}", printable(name), why));
}

/// In pieces: a tokenizer may be large.
void copy_in_pieces(const fs::path& from, const fs::path& to) {
  const auto file = open_for_reading(from);
  const auto bytes = file_size(file, from);
  FilePublisher copy(to);
  std::vector<std::byte> piece;
  arrays::for_each_part(bytes, 1, [&](std::uint64_t offset, std::size_t part_bytes) {
    piece.resize(part_bytes);
    read_exactly(file, offset, piece, from);
    copy.write(piece);
  });
  copy.publish();
}

}  // namespace

void require_own_folder(const fs::path& out, const checkpoint::Checkpoint& source,
                        const written::Layout& layout, std::string_view suffix) {
  const auto folder = source.source != nullptr ? fs::path() : source.directory;
  if (!folder.empty() && is_same_place(out, folder)) {
    throw Error(ExitCode::run_directory, out.string(), "is the folder of the checkpoint itself",
                "write into a new folder");
  }
  std::set<std::string> own = {index_file};
  for (const auto& shard : layout.shards) own.insert(shard.file);
  for (const auto& name : names_in(out, ExitCode::run_directory)) {
    if (!name.ends_with(suffix) || own.contains(name)) continue;
    throw Error(ExitCode::run_directory, out.string(),
                fmt::format("holds {}, which is not of this checkpoint", printable(name)),
                "write into a new folder: runtimes load all that is there");
  }
}

void require_nothing_to_replace(const fs::path& out, std::string_view suffix) {
  for (const auto& name : names_in(out, ExitCode::run_directory)) {
    const bool is_ours =
        name.ends_with(suffix) || name == index_file || name == config_file || is_companion(name);
    if (!is_ours) continue;
    throw Error(
        ExitCode::run_directory, out.string(),
        fmt::format("holds {}, which would be replaced and is not of this sweep", printable(name)),
        "write into a new folder, or remove it");
  }
}

void require_shards(const fs::path& out, const written::Layout& layout) {
  for (const auto& shard : layout.shards) {
    if (is_written(out, shard)) continue;
    throw Error(ExitCode::io_error, (out / shard.file).string(),
                "was written and is missing or of another size",
                "run the same command again: it is written anew");
  }
}

std::string config_of(const checkpoint::Checkpoint& source) {
  const auto folder = folder_of(source);
  if (folder.empty()) return {};
  return checkpoint::config_text(folder);
}

std::string merged_config(const std::string& source_config, std::string_view model_type,
                          const nlohmann::ordered_json& quantization) {
  auto config = checkpoint::parse_ordered_config(
      source_config, {config_file, "mend it, it tells a runtime what the weights are"});
  if (!config.contains("model_type")) config["model_type"] = model_type;
  config.update(quantization);
  return python_json_text(config, 4) + "\n";
}

std::string index_of(const written::Layout& layout) {
  std::int64_t total = 0;
  std::map<std::string, std::string> files;
  for (const auto& shard : layout.shards) {
    for (const auto& tensor : shard.tensors) {
      total += tensor.bytes();
      files[tensor.name] = shard.file;
    }
  }
  return checkpoint::index_json(files, total, 4);
}

CompanionFiles companions_of(const checkpoint::Checkpoint& source) {
  CompanionFiles companions;
  const auto folder = folder_of(source);
  if (folder.empty()) return companions;
  for (const auto& name : names_in(folder, ExitCode::bad_input)) {
    if (!is_companion(name)) continue;
    if (!is_plain_file_name(name)) {
      leave_out(companions, name, "its name has more than letters, digits, '.', '_' and '-'");
      continue;
    }
    const auto found = checkpoint::find_companion(folder, name);
    const auto status = found ? status_of(found->path, ExitCode::bad_input) : fs::file_status();
    if (!found) {
      leave_out(companions, name, "is a link to nothing");
    } else if (!found->is_inside) {
      throw checkpoint::outside_error(folder, name, *found);
    } else if (fs::is_regular_file(status)) {
      companions.files.push_back({name, found->path});
    } else if (!fs::is_directory(status)) {
      leave_out(companions, name, "is not a regular file");
    }
  }
  return companions;
}

void copy_companions(const CompanionFiles& companions, const fs::path& out) {
  for (const auto& [name, path] : companions.files) copy_in_pieces(path, out / name);
}

}  // namespace moesweep::jobs
