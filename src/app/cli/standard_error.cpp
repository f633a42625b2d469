#include "standard_error.hpp"

#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/foreign_name.hpp>

namespace moesweep::cli {
namespace {

/// Warnings repeat what files of others say: control characters end here, whoever forgot them.
class AfterStandardOutput final : public spdlog::sinks::stderr_color_sink_mt {
 public:
  void log(const spdlog::details::log_msg& message) override {
    std::fflush(stdout);
    const auto text = printable_lines({message.payload.data(), message.payload.size()});
    auto shown = message;
    shown.payload = text;
    spdlog::sinks::stderr_color_sink_mt::log(shown);
  }
};

}  // namespace

// Not fmt::print: it throws when the stream cannot be written.
void write_error(std::string_view text) {
  std::fflush(stdout);  // whether that worked is asked in the end, of the stream
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void print_error(std::string_view line) {
  write_error(fmt::format("moesweep: {}\n", printable(line)));
}

void log_to_standard_error() {
  auto logger =
      std::make_shared<spdlog::logger>("moesweep", std::make_shared<AfterStandardOutput>());
  logger->set_pattern("moesweep: %l: %v");
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace moesweep::cli
