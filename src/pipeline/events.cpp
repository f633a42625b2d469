#include "events.hpp"

#include <chrono>

#include <spdlog/spdlog.h>

#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>

namespace moesweep::pipeline {

void append_event(const std::filesystem::path& file, const std::string& name,
                  nlohmann::json fields) {
  fields["time"] = unix_time();
  fields["event"] = name;
  try {
    append_line(file, fields.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } catch (const Error& error) {
    spdlog::warn("{}", error.what());
  }
}

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace moesweep::pipeline
