#pragma once
// The one reader of config.json. What its keys mean is told by whoever asks: the model by
// source/model_config.hpp, codes by found.

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <moesweep/core/base/json.hpp>

namespace moesweep::checkpoint {

inline constexpr auto config_name = "config.json";

/// The text of config.json below checkpoint_path(path), or beside that file; empty when there is
/// none. Error(bad_input) for what read_companion refuses: links out, more than most_companion_text
/// bytes.
std::string config_text(const std::filesystem::path& path);

/// A config.json that the user names himself, wherever it lies, of as many bytes.
std::string config_text_of_file(const std::filesystem::path& file);

/// An object, with NaN and infinities as Python writes them; empty for an empty text.
/// Error(bad_input) naming `place` for anything else and for what parse_json refuses.
nlohmann::json parse_config(std::string_view text, const JsonPlace& place = {config_name});
/// The same with keys in the order of the text.
nlohmann::ordered_json parse_ordered_config(std::string_view text, const JsonPlace& place);

}  // namespace moesweep::checkpoint
