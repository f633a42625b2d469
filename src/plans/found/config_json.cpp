#include "config_json.hpp"

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/json.hpp>

namespace moesweep::found {

nlohmann::json parse_config(const std::string& text) {
  if (text.empty()) return nlohmann::json::object();
  auto config = parse_json(text, {.file = "config.json"}, JsonNumbers::python);
  if (!config.is_object()) throw Error(ExitCode::bad_input, "config.json", "is not a JSON object");
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

}  // namespace moesweep::found
