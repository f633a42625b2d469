// moesweep_results_schema FILE: writes the reference of results.h5, see schemas/results.md.

#include <cstdio>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/schema.hpp>

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: moesweep_results_schema FILE\n");
    return static_cast<int>(moesweep::ExitCode::bad_usage);
  }
  try {
    moesweep::publish_file(argv[1], moesweep::records::results_schema_markdown());
  } catch (const moesweep::Error& error) {
    fmt::print(stderr, "moesweep_results_schema: {}\n", error.what());
    return static_cast<int>(error.exit_code());
  }
  return static_cast<int>(moesweep::ExitCode::complete);
}
