#include "events.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <sstream>

#include <spdlog/spdlog.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/json.hpp>
#include <moesweep/core/base/paths.hpp>

namespace moesweep::run {
namespace {

// A kill in the middle of a write, or a full disk, leaves half a line.
bool ends_in_half_a_line(const std::filesystem::path& file) {
  const auto size = size_of_file_at(file).value_or(0);
  if (size == 0) return false;
  std::byte last{};
  read_exactly(open_for_reading(file), size - 1, std::span(&last, 1), file);
  return last != std::byte{'\n'};
}

std::optional<nlohmann::json> event_from(const std::string& line, const std::string& file) {
  try {
    auto event = parse_json(line, {file});
    if (event.is_object() && event.contains("event")) return event;
  } catch (const Error&) {
  }
  return std::nullopt;
}

}  // namespace

void append_event(const std::filesystem::path& file, const std::string& name,
                  nlohmann::json fields) {
  fields["time"] = unix_time();
  fields["event"] = name;
  try {
    const auto line = fields.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    append_line(file, ends_in_half_a_line(file) ? '\n' + line : line);
  } catch (const Error& error) {
    spdlog::warn("{}", error.what());
  }
}

Events read_events(const std::filesystem::path& file) {
  Events events;
  if (!std::filesystem::exists(status_of(file))) return events;
  std::istringstream lines(read_text_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (auto event = event_from(line, file.string()))
      events.whole.push_back(std::move(*event));
    else
      ++events.torn;
  }
  return events;
}

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace moesweep::run
