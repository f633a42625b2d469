// `moesweep doctor`: whether a sweep started like this would run well here. Under a launcher every
// rank looks, and rank 0 tells the worst.

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/engine/comm/session.hpp>
#include <moesweep/engine/launch/check.hpp>
#include <moesweep/engine/store/version.hpp>
#include <moesweep/model/kernels/isa.hpp>

#include "calibrate.hpp"
#include "command.hpp"
#include "text_table.hpp"

namespace moesweep::cli {
namespace {

namespace fs = std::filesystem;
using launch::Check;
using launch::Verdict;
using Checks = std::vector<Check>;

struct DoctorOptions {
  bool calibrate = false;
  CalibrateOptions calibration;
  std::string run_directory = ".";
};

const char* verdict_name(Verdict verdict) {
  constexpr std::array names = {"ok", "warn", "fail"};
  return names[static_cast<std::size_t>(verdict)];
}

Check blas_check() {
  Check check;
  check.name = "BLAS";
  check.found = kernels::blas_description();
  if (kernels::blas_is_reentrant()) return check;
  check.verdict = Verdict::warn;
  check.found += ", not safe for several threads: spectra are computed one at a time";
  check.remedy = "install libopenblas0-pthread or another thread-safe BLAS";
  return check;
}

Check hdf5_check() {
  Check check;
  check.name = "HDF5";
  const auto [built, loaded] = store::hdf5_versions();
  check.found = loaded;
  if (built == loaded) return check;
  check.verdict = Verdict::warn;
  check.found += fmt::format(", built with {}", built);
  check.remedy = "load the HDF5 that moesweep was built with";
  return check;
}

// What rights hide is no folder for us; a system that fails says so.
bool is_visible_folder(const fs::path& path) {
  try {
    return is_folder(path, ExitCode::bad_input);
  } catch (const Error& error) {
    if (error.exit_code() != ExitCode::bad_input) throw;
    return false;
  }
}

// The folder itself, or the nearest that exists above it: doctor makes no run directory.
fs::path existing(fs::path path) {
  path = fs::absolute(path).lexically_normal();
  while (!is_visible_folder(path) && path.has_relative_path()) path = path.parent_path();
  return path;
}

Checks checks_of_this_rank(const DoctorOptions& options) {
  Checks checks;
  checks.push_back(launch::check_affinity(parallel::available_cpus(), options.calibration.threads,
                                          launch::process_environment()));
  checks.push_back(launch::check_signals());
  checks.push_back({"instruction set", Verdict::ok, kernels::active_isa(), ""});
  checks.push_back(hdf5_check());
  checks.push_back(blas_check());
  for (auto& check : launch::check_file_system(existing(options.run_directory)))
    checks.push_back(std::move(check));
  return checks;
}

Json to_json(const Check& check) {
  return {{"name", check.name},
          {"verdict", verdict_name(check.verdict)},
          {"found", check.found},
          {"remedy", check.remedy},
          {"exit_code", static_cast<int>(check.exit_code)}};
}

Check from_json(const Json& json) {
  const auto verdict = json.at("verdict").get<std::string>();
  return {json.at("name").get<std::string>(),
          verdict == "fail"   ? Verdict::fail
          : verdict == "warn" ? Verdict::warn
                              : Verdict::ok,
          json.at("found").get<std::string>(), json.at("remedy").get<std::string>(),
          static_cast<ExitCode>(json.at("exit_code").get<int>())};
}

// A rank that cannot even look is a failed check, not an end: the others would wait for it.
std::string report_of_this_rank(const DoctorOptions& options) {
  auto report = Json::array();
  try {
    for (const auto& check : checks_of_this_rank(options)) report.push_back(to_json(check));
  } catch (const Error& error) {
    report.push_back(to_json(
        {error.where(), Verdict::fail, error.problem(), error.remedy(), error.exit_code()}));
  }
  return report.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Of equal names the worst, with its rank when the others fare better; in the order of rank 0.
Checks worst_of(const std::vector<std::string>& reports) {
  Checks merged;
  for (std::size_t rank = 0; rank < reports.size(); ++rank) {
    for (const auto& json : Json::parse(reports[rank])) {
      auto check = from_json(json);
      const auto found = std::find_if(merged.begin(), merged.end(),
                                      [&](const Check& other) { return other.name == check.name; });
      if (found != merged.end() && check.verdict <= found->verdict) continue;
      if (rank > 0) check.found += fmt::format(" (rank {})", rank);
      if (found == merged.end())
        merged.push_back(std::move(check));
      else
        *found = std::move(check);
    }
  }
  return merged;
}

void print(const Checks& checks, const Context& context) {
  if (context.json) {
    auto document = Json::array();
    for (const auto& check : checks) document.push_back(to_json(check));
    return print_json(document);
  }
  if (context.quiet) return;
  TextTable table({"", "check", "found", "remedy"});
  for (const auto& check : checks) {
    table.add(
        {verdict_name(check.verdict), check.name, printable(check.found), printable(check.remedy)});
  }
  table.print();
}

void examine(const DoctorOptions& options, Context& context) {
  const auto mine = report_of_this_rank(options);
  const bool by_mpi = comm::launched_by_mpi();
  // N tasks without MPI are refused by a session; here they are what is found.
  std::unique_ptr<comm::Session> session;
  if (by_mpi) session = comm::open_session();
  if (!by_mpi && !comm::is_first_of_launch()) return;
  const auto reports = session ? session->gather(mine) : std::vector<std::string>{mine};
  if (session && session->comm().rank() != comm::coordinator_rank) return;
  Checks checks;
  checks.push_back(launch::check_world(session ? session->comm().size() : 1, by_mpi,
                                       launch::process_environment()));
  checks.push_back({"MPI", Verdict::ok, comm::mpi_version(), ""});
  for (auto& check : worst_of(reports)) checks.push_back(std::move(check));
  print(checks, context);
  const auto failed = std::find_if(checks.begin(), checks.end(), [](const Check& check) {
    return check.verdict == Verdict::fail;
  });
  if (failed != checks.end()) context.exit_code = failed->exit_code;
}

void doctor(const DoctorOptions& options, Context& context) {
  if (options.calibrate)
    calibrate(options.calibration, context);
  else
    examine(options, context);
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  auto* command = add_command(app, context, "doctor",
                              "Check launcher, affinity, signals and file system; measure a node");
  auto options = std::make_shared<DoctorOptions>();
  auto& calibration = options->calibration;
  command->add_option("--run-dir", options->run_directory,
                      "Run directory to be, whose file system is checked; default: here");
  auto* calibrates =
      command->add_flag("--calibrate", options->calibrate, "Write this node's rates as a profile");
  auto* read = command->add_option("--read", calibration.read_from,
                                   "File or folder to measure reading with");
  command->add_option("--out,-o", calibration.out, "Profile to write; default: standard output")
      ->needs(calibrates);
  command->add_option("--threads,-t", calibration.threads, "Threads at once; default: all CPUs")
      ->check(CLI::PositiveNumber);
  calibrates->needs(read);
  read->needs(calibrates);
  command->callback([options, &context] { doctor(*options, context); });
}

}  // namespace moesweep::cli
