#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/shape.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/header.hpp>
#include <moesweep/model/checkpoint/unfinished.hpp>

#include "confine.hpp"
#include "index.hpp"
#include "json_events.hpp"
#include "model_files.hpp"
#include "other_files.hpp"

namespace moesweep::checkpoint {
namespace {

namespace fs = std::filesystem;

void add_shard(Checkpoint& checkpoint, fs::path path, std::string name) {
  const auto shown = (checkpoint.directory / name).string();
  const auto file = open_for_reading(path);
  Shard shard{.path = std::move(path),
              .name = std::move(name),
              .file_bytes = file_size(file, shown),
              .header_hash = {}};
  std::vector<std::byte> bytes(std::min<std::uint64_t>(8, shard.file_bytes));
  read_exactly(file, 0, bytes, shown);
  bytes.resize(header_bytes(bytes, shard.file_bytes, shown));
  read_exactly(file, 0, bytes, shown);
  shard.header_hash = hash128(bytes);
  for (auto& entry : parse_header(bytes, shard.file_bytes, shown)) {
    checkpoint.tensors.push_back({.name = std::move(entry.name),
                                  .dtype = entry.dtype,
                                  .shape = std::move(entry.shape),
                                  .shard = checkpoint.shards.size(),
                                  .byte_begin = entry.byte_begin,
                                  .byte_end = entry.byte_end});
  }
  checkpoint.shards.push_back(std::move(shard));
}

void sort_tensors(Checkpoint& checkpoint) {
  auto& tensors = checkpoint.tensors;
  const auto directory = checkpoint.directory.string();
  std::sort(tensors.begin(), tensors.end(), [](const Tensor& a, const Tensor& b) {
    return std::tie(a.name, a.shard) < std::tie(b.name, b.shard);
  });
  const auto twice =
      std::adjacent_find(tensors.begin(), tensors.end(),
                         [](const Tensor& a, const Tensor& b) { return a.name == b.name; });
  if (twice != tensors.end()) {
    throw Error(
        ExitCode::bad_input, directory,
        fmt::format("tensor {} is in two shards, {} and {}", in_quotes(twice->name),
                    checkpoint.shards[twice->shard].name,
                    checkpoint.shards[std::next(twice)->shard].name),
        "keep the files of one checkpoint in a directory, or add the index that says which count");
  }
  if (tensors.empty()) {
    throw Error(ExitCode::bad_input, directory, "its safetensors files hold no tensors");
  }
  std::uint64_t total = 0;
  for (const auto& shard : checkpoint.shards) {
    const auto sum = checked_sum(total, shard.file_bytes);
    if (!sum || !std::in_range<std::int64_t>(*sum)) {
      throw Error(ExitCode::bad_input, directory, "its files claim more than 2^63 bytes");
    }
    total = *sum;
  }
}

/// A tensor that the index does not name, or names in another shard, is not part of the model. What
/// the index names must be where it says.
void keep_what_is_indexed(Checkpoint& checkpoint, std::span<const IndexEntry> index,
                          const std::string& index_file, bool allow_incomplete) {
  const std::set<std::string_view> missing(checkpoint.missing.begin(), checkpoint.missing.end());
  std::map<std::pair<std::string_view, std::string_view>, bool> found;  // by tensor and shard
  for (const auto& entry : index) {
    if (!missing.contains(entry.shard)) found[{entry.tensor, entry.shard}] = false;
  }
  std::erase_if(checkpoint.tensors, [&](const Tensor& tensor) {
    const auto& shard = checkpoint.shards[tensor.shard].name;
    const auto entry = found.find({tensor.name, shard});
    if (entry != found.end()) {
      entry->second = true;
      return false;
    }
    checkpoint.ignored.push_back(
        fmt::format("tensor {} of {} (not in the index)", in_quotes(tensor.name), shard));
    return true;
  });
  for (const auto& [entry, is_there] : found) {
    if (is_there) continue;
    const auto& [tensor, shard] = entry;
    if (!allow_incomplete) {
      throw Error(ExitCode::bad_input, index_file,
                  fmt::format("tensor {} is not in its shard {}", in_quotes(tensor), shard),
                  "index and shards are not of the same checkpoint, download both again");
    }
    checkpoint.missing.push_back(fmt::format("tensor {} of {}", in_quotes(tensor), shard));
  }
}

std::vector<IndexEntry> read_index(const fs::path& directory) {
  const auto shown = (directory / index_name).string();
  const auto path = resolve_companion(directory, std::string(index_name));
  const auto file = open_for_reading(path);
  const auto bytes = file_size(file, shown);
  if (bytes > max_index_bytes) {
    throw Error(ExitCode::bad_input, shown,
                fmt::format("is larger than {} bytes", max_index_bytes));
  }
  std::vector<std::byte> text(bytes);
  read_exactly(file, 0, text, shown);
  refuse_other_files(std::span(text).first(std::min<std::size_t>(text.size(), 8)), shown);
  return parse_index(text, shown);
}

/// Names of the safetensors files of a folder, sorted.
std::vector<std::string> safetensors_in(const fs::path& directory) {
  auto names = names_in_folder(directory, ExitCode::bad_input);
  std::erase_if(
      names, [](const std::string& name) { return fs::path(name).extension() != ".safetensors"; });
  return names;
}

void refuse_unfinished(const fs::path& directory) {
  const auto recipe = unfinished_recipe(directory);
  if (recipe.empty()) return;
  throw Error(ExitCode::bad_input, directory.string(),
              fmt::format("is not finished: \"{}\" was stopped, or still writes it", recipe),
              "run the same command again, it goes on where it was");
}

void refuse_missing_shards(const Checkpoint& checkpoint) {
  const auto& missing = checkpoint.missing;
  if (missing.empty()) return;
  throw Error(ExitCode::bad_input, (checkpoint.directory / missing.front()).string(),
              missing.size() == 1
                  ? std::string("is missing")
                  : fmt::format("is missing, and {} more shards", missing.size() - 1),
              std::string(incomplete_remedy));
}

Checkpoint open_indexed(const fs::path& directory, const OpenOptions& options) {
  const auto index = read_index(directory);
  std::set<std::string> names;
  for (const auto& entry : index) names.insert(entry.shard);

  Checkpoint checkpoint{.directory = directory};
  for (const auto& name : names) {
    if (auto path = find_shard(directory, name)) {
      add_shard(checkpoint, std::move(*path), name);
    } else {
      checkpoint.missing.push_back(name);
    }
  }
  if (!options.allow_incomplete || checkpoint.tensors.empty()) refuse_missing_shards(checkpoint);
  keep_what_is_indexed(checkpoint, index, (directory / index_name).string(),
                       options.allow_incomplete);
  for (const auto& name : safetensors_in(directory)) {
    if (!names.contains(name)) checkpoint.ignored.push_back(name + " (not in the index)");
  }
  sort_tensors(checkpoint);
  return checkpoint;
}

Checkpoint open_unindexed(const fs::path& directory, const OpenOptions& options) {
  auto [names, ignored] = model_files(safetensors_in(directory));
  if (names.empty()) {
    auto [problem, remedy] = what_is_instead(directory);
    if (!ignored.empty()) {
      problem = fmt::format("has no weights of a model, only {}", fmt::join(ignored, ", "));
    }
    throw Error(ExitCode::bad_input, directory.string(), std::move(problem), std::move(remedy));
  }
  Checkpoint checkpoint{.directory = directory, .ignored = std::move(ignored)};
  checkpoint.missing = missing_shards(names);
  if (!options.allow_incomplete) refuse_missing_shards(checkpoint);
  for (const auto& name : names) add_shard(checkpoint, resolve_shard(directory, name), name);
  sort_tensors(checkpoint);
  return checkpoint;
}

// The user named this very file, so it may be a link to anywhere.
Checkpoint open_single(const fs::path& path) {
  if (path.extension() == ".json") {
    throw Error(ExitCode::bad_input, path.string(), "is not a checkpoint",
                fmt::format("give the directory it is in, {}",
                            path.has_parent_path() ? path.parent_path().string() : "."));
  }
  const auto name = path.filename().string();
  Checkpoint checkpoint{.directory = path.parent_path()};
  add_shard(checkpoint, path, name);
  if (const auto others = missing_shards({name}); !others.empty()) {
    checkpoint.ignored.push_back(fmt::format(
        "the {} other shards beside {}, the only file that was named", others.size(), name));
  }
  sort_tensors(checkpoint);
  return checkpoint;
}

}  // namespace

std::int64_t Tensor::params() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::int64_t Tensor::bytes() const {
  return checked_cast<std::int64_t>(byte_end - byte_begin);
}

std::int64_t Checkpoint::params() const {
  return std::accumulate(
      tensors.begin(), tensors.end(), std::int64_t{0},
      [](std::int64_t sum, const Tensor& tensor) { return sum + tensor.params(); });
}

std::int64_t Checkpoint::bytes() const {
  return std::accumulate(
      tensors.begin(), tensors.end(), std::int64_t{0},
      [](std::int64_t sum, const Tensor& tensor) { return sum + tensor.bytes(); });
}

Checkpoint open_checkpoint(const fs::path& given, const OpenOptions& options) {
  const auto path = checkpoint_path(given);
  const auto status = status_of(path, ExitCode::bad_input);
  if (!fs::exists(status)) {
    throw Error(ExitCode::bad_input, path.string(), "does not exist",
                "give a checkpoint directory or a .safetensors file");
  }
  if (!fs::is_directory(status)) return open_single(path);
  refuse_unfinished(path);
  const bool indexed = fs::exists(link_status_of(path / index_name, ExitCode::bad_input));
  return indexed ? open_indexed(path, options) : open_unindexed(path, options);
}

const Tensor* find_tensor(const Checkpoint& checkpoint, std::string_view name) {
  const auto found =
      std::ranges::lower_bound(checkpoint.tensors, name, {},
                               [](const Tensor& tensor) { return std::string_view(tensor.name); });
  return found != checkpoint.tensors.end() && found->name == name ? &*found : nullptr;
}

Hash128 headers_hash(const Checkpoint& checkpoint) {
  Hasher128 hasher;
  for (const auto& tensor : checkpoint.tensors) {
    hasher.add_text(tensor.name);
    hasher.add_text(dtype_name(tensor.dtype));
    hasher.add_text(shape_text(tensor.shape));
  }
  return hasher.finish();
}

}  // namespace moesweep::checkpoint
