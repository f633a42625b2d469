#include "config_size.hpp"

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>

namespace moesweep::found {

std::int32_t size_under(const nlohmann::json& object, const char* key, std::int32_t missing) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return missing;
  constexpr std::int64_t largest = 1 << 20;
  const auto value = found->is_number_integer() ? found->get<std::int64_t>() : 0;
  if (value < 1 || value > largest) {
    throw Error(ExitCode::bad_input, checkpoint::config_name,
                fmt::format("\"{}\" of its quantization is {}, not a size", key,
                            printable(found->dump(-1, ' ', true).substr(0, 40))));
  }
  return static_cast<std::int32_t>(value);
}

}  // namespace moesweep::found
