#include "json_events.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>

namespace moesweep::checkpoint {

bool JsonEvents::parse_error(std::size_t position, const std::string&,
                             const nlohmann::detail::exception&) {
  // The library's own text repeats the last token, which can be the whole header.
  refuse(fmt::format("is not valid JSON at character {}", position));
}

void JsonEvents::refuse(std::string_view problem) const {
  throw Error(ExitCode::bad_input, file_, fmt::format("{}{}", context(), problem),
              "the file is damaged or not from a safetensors writer, download or write it again");
}

void read_json(std::span<const std::byte> text, JsonEvents& events) {
  // nlohmann::json takes a NUL for the end of its input and would not see what follows it.
  if (std::find(text.begin(), text.end(), std::byte{0}) != text.end()) {
    events.refuse("has a NUL byte in its JSON");
  }
  if (text.empty() || text.front() != std::byte{'{'}) {
    events.refuse("JSON does not start with '{'");
  }
  const auto* first = reinterpret_cast<const char*>(text.data());
  nlohmann::json::sax_parse(first, first + text.size(), &events);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 200;
  if (text.size() <= longest) return fmt::format("'{}'", text);
  return fmt::format("'{}...' ({} bytes)", text.substr(0, longest), text.size());
}

}  // namespace moesweep::checkpoint
