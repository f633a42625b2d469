#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/source/expert_axes.hpp>
#include <moesweep/model/source/model.hpp>
#include <moesweep/model/source/whole.hpp>

namespace moesweep::source {
namespace {

constexpr auto incomplete_remedy =
    "download or convert it again, or set checkpoint.allow_incomplete = true to take what is there";

std::string list_of(std::span<const std::string> all) {
  constexpr std::size_t most = 5;
  const auto shown = all.first(std::min(all.size(), most));
  auto text = fmt::format("{}", fmt::join(shown, "; "));
  if (shown.size() < all.size()) {
    text += fmt::format("; {} more", format_count(std::ssize(all) - std::ssize(shown)));
  }
  return text;
}

void note_storage(Model& model) {
  for (const auto& line : describe(model.storage)) {
    model.notes.push_back("stored quantized, " + line);
  }
  const auto& declared = model.config.storage;
  if (declared && !model.storage.has_codes()) {
    model.notes.push_back(fmt::format(
        "{} says that weights are quantized{}, but none is stored so: all are read as they are",
        declared->place, declared->method.empty() ? "" : " (" + declared->method + ")"));
  }
}

/// What was read in place of what was named.
void note_choice(Model& model, const std::filesystem::path& given) {
  const auto& read = model.checkpoint.directory;
  if (!is_folder(given, ExitCode::bad_input) || read == given) return;
  model.notes.push_back(
      fmt::format("{} is a model of the Hugging Face cache: its snapshot {} is read",
                  given.string(), read.string()));
}

void orient(Model& model, const std::vector<std::string>& expert_patterns) {
  const auto [transposed, assumed] =
      orient_experts(model.checkpoint, model.config, expert_patterns);
  if (!assumed.empty()) {
    model.notes.push_back(fmt::format(
        "experts of {} layers are taken to be [experts, out, in], which neither shapes nor family "
        "tell: {}",
        assumed.size(), list_of(assumed)));
  }
  if (!transposed.empty()) {
    model.notes.push_back(fmt::format(
        "{} stacks of experts are stored [experts, in, out] and are read as [experts, out, in]: {}",
        transposed.size(), list_of(transposed)));
  }
}

Model described(checkpoint::Checkpoint checkpoint, ModelConfig config) {
  Model model{std::move(checkpoint), std::move(config), {}, {}, {}};
  if (!model.checkpoint.ignored.empty()) {
    model.notes.push_back("ignored: " + list_of(model.checkpoint.ignored));
  }
  if (!model.config.unreadable.empty()) {
    model.notes.push_back(fmt::format("config.json {}: layers, experts and head were not counted",
                                      model.config.unreadable));
  }
  model.storage = storage_of(model.checkpoint, model.config);
  note_storage(model);
  return model;
}

}  // namespace

Model open_model(const std::filesystem::path& path, const ModelOptions& options) {
  auto checkpoint =
      checkpoint::open_checkpoint(path, {.allow_incomplete = options.allow_incomplete});
  auto missing = checkpoint.missing;
  auto config = read_model_config(checkpoint.directory);
  // A file that is named itself may be one shard of many: only a folder is a promise.
  if (is_folder(checkpoint::checkpoint_path(path), ExitCode::bad_input)) {
    const auto parts = missing_parts(checkpoint, config, options.expert_patterns);
    missing.insert(missing.end(), parts.begin(), parts.end());
  }
  auto model = described(std::move(checkpoint), std::move(config));
  orient(model, options.expert_patterns);
  note_choice(model, path);
  model.missing = std::move(missing);
  if (!options.allow_incomplete) require_whole(model);
  if (!model.missing.empty()) model.notes.push_back("incomplete: lacks " + list_of(model.missing));
  return model;
}

void require_whole(const Model& model) {
  if (model.missing.empty()) return;
  throw Error(ExitCode::bad_input, model.checkpoint.directory.string(),
              "lacks " + list_of(model.missing), incomplete_remedy);
}

Model as_model(checkpoint::Checkpoint checkpoint) {
  return described(std::move(checkpoint), {});
}

void require_weights(const Model& model) {
  refuse_codes(model.checkpoint, model.storage, model.config,
               std::vector<bool>(model.checkpoint.tensors.size(), true));
}

}  // namespace moesweep::source
