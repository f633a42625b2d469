#include <filesystem>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>

#include "schema_files.hpp"

int main(int argument_count, char** arguments) {
  try {
    if (argument_count != 2) {
      throw moesweep::Error(moesweep::ExitCode::bad_usage, "moesweep_schemas",
                            "takes one folder to write to", "moesweep_schemas schemas");
    }
    for (const auto& file : moesweep::jobs::schema_files()) {
      moesweep::publish_file(std::filesystem::path(arguments[1]) / file.name,
                             std::string_view(file.text));
    }
  } catch (const moesweep::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.exit_code());
  }
}
