#include "config_json.hpp"

#include <fmt/format.h>

#include <moesweep/base/error.hpp>

namespace moesweep::quantized {

nlohmann::json parse_config(const std::string& text) {
  if (text.empty()) return nlohmann::json::object();
  const auto not_too_deep = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    constexpr int deepest = 64;
    if (depth > deepest) throw Error(ExitCode::bad_input, "config.json", "is nested too deep");
    return true;
  };
  const auto config = nlohmann::json::parse(text, not_too_deep, false);
  if (!config.is_object()) throw Error(ExitCode::bad_input, "config.json", "is no JSON object");
  return config;
}

std::int32_t size_under(const nlohmann::json& object, const char* key, std::int32_t missing) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return missing;
  constexpr std::int64_t largest = 1 << 20;
  const auto value = found->is_number_integer() ? found->get<std::int64_t>() : 0;
  if (value < 1 || value > largest) {
    throw Error(ExitCode::bad_input, "config.json",
                fmt::format("\"{}\" of its quantization is {}, not a size", key,
                            printable(found->dump(-1, ' ', true).substr(0, 40))));
  }
  return static_cast<std::int32_t>(value);
}

}  // namespace moesweep::quantized
