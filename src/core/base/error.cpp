#include <cstdio>
#include <cstring>
#include <exception>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>

namespace moesweep {
namespace {

std::string one_line(const std::string& where, const std::string& problem,
                     const std::string& remedy) {
  std::string line = where.empty() ? problem : where + ": " + problem;
  if (!remedy.empty()) line += "; " + remedy;
  return printable(line);
}

}  // namespace

Error::Error(ExitCode exit_code, std::string where, std::string problem, std::string remedy)
    : std::runtime_error(one_line(where, problem, remedy)),
      exit_code_(exit_code),
      where_(std::move(where)),
      problem_(std::move(problem)),
      remedy_(std::move(remedy)) {}

Error errno_error(ExitCode exit_code, std::string where, std::string_view problem,
                  int error_number) {
  return Error(exit_code, std::move(where),
               fmt::format("{}: {}", problem, std::strerror(error_number)));
}

void bug(std::string_view message, SourcePlace place) {
  std::fflush(stdout);
  // Not fmt::print: it throws when stderr cannot be written.
  std::fputs(fmt::format("moesweep: bug: {} ({}:{} in {})\n", printable(message), place.file,
                         place.line, place.function)
                 .c_str(),
             stderr);
  std::terminate();
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  unsigned char before = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // U+0080 to U+009F are C2 80 to C2 9F in UTF-8; U+009B alone starts a terminal sequence.
    const bool c1 = before == 0xc2 && byte >= 0x80 && byte < 0xa0;
    if (byte < 0x20 || byte == 0x7f || c1) {
      if (c1) out.pop_back();
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
    before = byte;
  }
  return out;
}

}  // namespace moesweep
