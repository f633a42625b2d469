#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <moesweep/core/base/macos_file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>
#include <moesweep/plans/found/found.hpp>

#include "module_tensors.hpp"

namespace moesweep::found {
namespace {

namespace fs = std::filesystem;

bool has_gguf(const fs::path& path) {
  const auto is_gguf = [](const fs::path& file) {
    return file.extension() == ".gguf" && !is_of_macos(file);
  };
  if (!is_folder(path, ExitCode::bad_input)) return is_gguf(path);
  return std::ranges::any_of(names_in_folder(path, ExitCode::bad_input), is_gguf);
}

bool any_ends_with(const checkpoint::Checkpoint& checkpoint, std::string_view end) {
  return std::ranges::any_of(checkpoint.tensors, [end](const checkpoint::Tensor& tensor) {
    return tensor.name.ends_with(end);
  });
}

// By config.json; by names when it says nothing, or was copied from the original by mistake.
Format format_of(const checkpoint::Checkpoint& checkpoint, const nlohmann::json& config) {
  if (config.contains("quantization")) return Format::mlx;
  if (any_ends_with(checkpoint, ".weight_packed")) return Format::compressed_tensors;
  const auto other = config.find("quantization_config");
  if (other != config.end() && other->is_object() &&
      other->value("quant_method", nlohmann::json()) == "compressed-tensors") {
    return Format::compressed_tensors;
  }
  return any_ends_with(checkpoint, ".scales") ? Format::mlx : Format::plain;
}

}  // namespace

std::string_view format_name(Format format) {
  constexpr std::array<std::string_view, 4> names = {"MLX", "compressed-tensors", "GGUF",
                                                     "unquantized safetensors"};
  return names[static_cast<std::size_t>(format)];
}

Found find_plain(const checkpoint::Checkpoint& checkpoint) {
  Found found{.format = Format::plain, .bytes = file_bytes(checkpoint)};
  for (const auto& [name, parts] : parts_by_module(checkpoint)) {
    for (const auto& [part, tensor] : parts) {
      found.modules.push_back(unquantized(name, part, *tensor));
    }
  }
  sort_by_name(found);
  return found;
}

Found find_modules(const fs::path& given) {
  const auto path = checkpoint::checkpoint_path(given);
  if (has_gguf(path)) return find_gguf(path);
  const auto checkpoint = checkpoint::open_checkpoint(path);
  const auto config = checkpoint::config_text(path);
  switch (format_of(checkpoint, checkpoint::parse_config(config))) {
    case Format::mlx:
      return find_mlx(checkpoint, config);
    case Format::compressed_tensors:
      return find_compressed_tensors(checkpoint, config);
    case Format::gguf:
    case Format::plain:
      break;
  }
  return find_plain(checkpoint);
}

}  // namespace moesweep::found
