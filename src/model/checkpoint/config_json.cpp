#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/companion.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>

namespace moesweep::checkpoint {
namespace {

template <typename Json>
Json require_object(Json config, const JsonPlace& place) {
  if (config.is_object()) return config;
  throw Error(ExitCode::bad_input, place.file, "is not a JSON object", place.remedy);
}

}  // namespace

std::string config_text(const std::filesystem::path& given) {
  const auto path = checkpoint_path(given);
  const auto folder = is_folder(path, ExitCode::bad_input) ? path : path.parent_path();
  return read_companion(folder, config_name).value_or("");
}

std::string config_text_of_file(const std::filesystem::path& file) {
  return read_text_file(file, most_companion_text);
}

nlohmann::json parse_config(std::string_view text, const JsonPlace& place) {
  if (text.empty()) return nlohmann::json::object();
  return require_object(parse_json(text, place, JsonNumbers::python), place);
}

nlohmann::ordered_json parse_ordered_config(std::string_view text, const JsonPlace& place) {
  if (text.empty()) return nlohmann::ordered_json::object();
  return require_object(parse_ordered_json(text, place, JsonNumbers::python), place);
}

}  // namespace moesweep::checkpoint
