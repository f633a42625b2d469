// The cache of huggingface_hub: models--<owner>--<name>/{blobs,refs,snapshots}, where refs/main
// holds the commit that `from_pretrained` takes (huggingface_hub, "Understand caching").

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>

#include "index.hpp"
#include "other_files.hpp"

namespace moesweep::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view model_prefix = "models--";

bool is_folder(const fs::path& path) {
  return moesweep::is_folder(path, ExitCode::bad_input);
}

/// Names of the folders in a folder that begin so, sorted.
std::vector<std::string> folders_in(const fs::path& folder, std::string_view prefix = {}) {
  auto names = names_in_folder(folder, ExitCode::bad_input);
  std::erase_if(names, [&](const std::string& name) {
    return !name.starts_with(prefix) || !is_folder(folder / name);
  });
  return names;
}

std::string some_of(std::vector<std::string> names) {
  constexpr std::size_t most = 5;
  const auto more = names.size() > most ? names.size() - most : 0;
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

/// What `from_pretrained` takes; nothing unless it is a snapshot that is there.
std::optional<std::string> main_snapshot(const fs::path& model,
                                         const std::vector<std::string>& snapshots) {
  const auto file = model / "refs/main";
  constexpr std::uint64_t longest = 256;
  const auto size = size_of_file_at(file, ExitCode::bad_input);
  if (!size || *size > longest) return std::nullopt;
  auto commit = read_text_file(file);
  commit.erase(std::min(commit.find_last_not_of(" \r\n") + 1, commit.size()));
  const bool is_there = std::ranges::find(snapshots, commit) != snapshots.end();
  return is_there ? std::optional(commit) : std::nullopt;
}

fs::path snapshot_of(const fs::path& model) {
  const auto snapshots = folders_in(model / "snapshots");
  if (snapshots.empty()) {
    throw Error(ExitCode::bad_input, model.string(),
                "is a model of the Hugging Face cache without a snapshot",
                "download the model, or name the folder with its files");
  }
  if (const auto main = main_snapshot(model, snapshots)) return model / "snapshots" / *main;
  if (snapshots.size() == 1) return model / "snapshots" / snapshots.front();
  throw Error(
      ExitCode::bad_input, model.string(),
      fmt::format("is a model of the Hugging Face cache with {} snapshots, and refs/main "
                  "names none of them",
                  snapshots.size()),
      fmt::format("name one: {}/{{{}}}", (model / "snapshots").string(), some_of(snapshots)));
}

/// By what is in it: it may be reached by a link of another name.
bool is_cached_model(const fs::path& folder) {
  return is_folder(folder / "snapshots") &&
         (is_folder(folder / "blobs") || is_folder(folder / "refs") ||
          folder.filename().string().starts_with(model_prefix));
}

void refuse_whole_cache(const fs::path& given) {
  for (const auto& folder : {given, given / "hub"}) {
    if (!is_folder(folder)) continue;
    const auto models = folders_in(folder, model_prefix);
    if (models.empty()) continue;
    throw Error(
        ExitCode::bad_input, given.string(), "is the whole Hugging Face cache",
        fmt::format("name the folder of one model in {}: {}", folder.string(), some_of(models)));
  }
}

}  // namespace

fs::path checkpoint_path(const fs::path& given) {
  if (!is_folder(given)) {
    if (given.filename() != index_name) return given;
    const auto folder = given.parent_path();
    return folder.empty() ? fs::path(".") : folder;
  }
  // "models--a--b/" has an empty file name.
  const auto folder = given.has_filename() ? given : given.parent_path();
  if (is_cached_model(folder)) return snapshot_of(folder);
  if (folder.filename() == "snapshots" && is_cached_model(folder.parent_path())) {
    return snapshot_of(folder.parent_path());
  }
  if (!has_safetensors(folder)) refuse_whole_cache(folder);
  return given;
}

std::string name_of(const fs::path& checkpoint) {
  std::error_code gone;  // where one is: then the path says all there is
  auto path = fs::absolute(checkpoint, gone).lexically_normal();
  if (gone) path = checkpoint;
  if (path.filename() == index_name) path = path.parent_path();
  for (const auto& component : path) {
    auto name = component.string();
    if (!name.starts_with(model_prefix)) continue;
    name.erase(0, model_prefix.size());
    const auto dashes = name.find("--");
    return dashes == std::string::npos ? name : name.replace(dashes, 2, "/");
  }
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

}  // namespace moesweep::checkpoint
