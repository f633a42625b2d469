#pragma once
// What all commands share.

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <moesweep/core/base/error.hpp>

#include "standard_error.hpp"

namespace moesweep::cli {

/// Set by the command that ran, read by main().
struct Context {
  char** arguments = nullptr;  ///< argv of the process
  bool json = false;           ///< machine-readable standard output
  bool quiet = false;          ///< nothing but errors
  ExitCode exit_code = ExitCode::complete;
};

/// A subcommand with the options that every command has.
CLI::App* add_command(CLI::App& app, Context& context, const std::string& name,
                      const std::string& description);

/// Keys in the order written.
using Json = nlohmann::ordered_json;

/// One document on standard output.
void print_json(const Json& document);

void add_inspect(CLI::App& app, Context& context);
void add_plan(CLI::App& app, Context& context);
void add_run(CLI::App& app, Context& context);
void add_submit(CLI::App& app, Context& context);
void add_status(CLI::App& app, Context& context);
void add_unlock(CLI::App& app, Context& context);
void add_aggregate(CLI::App& app, Context& context);
void add_verify(CLI::App& app, Context& context);
void add_verify_plan(CLI::App& app, Context& context);
void add_export(CLI::App& app, Context& context);
void add_quantize(CLI::App& app, Context& context);
void add_twin(CLI::App& app, Context& context);
void add_correlate(CLI::App& app, Context& context);
void add_allocate(CLI::App& app, Context& context);
void add_import_cache(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);

}  // namespace moesweep::cli
