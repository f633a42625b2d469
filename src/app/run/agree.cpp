#include "agree.hpp"

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include <moesweep/core/base/failures.hpp>

namespace moesweep::run {
namespace {

using nlohmann::json;

std::string to_text(const Error& error) {
  return json{static_cast<int>(error.exit_code()), error.where(), error.problem(), error.remedy()}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

Error from_text(const std::string& text) {
  const auto fields = json::parse(text);
  return Error(static_cast<ExitCode>(fields[0].get<int>()), fields[1].get<std::string>(),
               fields[2].get<std::string>(), fields[3].get<std::string>());
}

}  // namespace

void agree(comm::Session& session, const std::function<void()>& step) {
  std::string failure;
  catch_failures(step, [&](const Error& error) { failure = to_text(error); });
  std::string first;
  for (const auto& text : session.gather(failure)) {
    if (first.empty()) first = text;
  }
  first = session.share(first);
  if (!first.empty()) throw from_text(first);
}

}  // namespace moesweep::run
