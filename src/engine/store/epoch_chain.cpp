// The records of lock/, one start and one end an epoch, and what is left of them.

#include <charconv>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/base/json.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/engine/store/lock.hpp>

#include "epoch_end.hpp"

namespace moesweep::store {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr auto hash_member = "hash";

json to_json(const EpochStart& start) {
  const auto& owner = start.owner;
  return {{"host", owner.host},
          {"boot_id", owner.boot_id},
          {"pid_namespace", owner.pid_namespace},
          {"pid", owner.pid},
          {"start_ticks", owner.start_ticks},
          {"slurm_job", owner.slurm_job},
          {"slurm_restarts", owner.slurm_restarts},
          {"fingerprint", start.fingerprint},
          {"inputs", start.inputs},
          {"isa", start.isa},
          {"blas", start.blas},
          {"build", start.build},
          {"ranks", start.ranks},
          {"units", start.units},
          {"unix_time", start.unix_time}};
}

EpochStart start_from(const json& from) {
  EpochStart start;
  auto& owner = start.owner;
  from.at("host").get_to(owner.host);
  from.at("boot_id").get_to(owner.boot_id);
  from.at("pid_namespace").get_to(owner.pid_namespace);
  from.at("pid").get_to(owner.pid);
  from.at("start_ticks").get_to(owner.start_ticks);
  from.at("slurm_job").get_to(owner.slurm_job);
  from.at("slurm_restarts").get_to(owner.slurm_restarts);
  from.at("fingerprint").get_to(start.fingerprint);
  from.at("inputs").get_to(start.inputs);
  from.at("isa").get_to(start.isa);
  from.at("blas").get_to(start.blas);
  from.at("build").get_to(start.build);
  from.at("ranks").get_to(start.ranks);
  from.at("units").get_to(start.units);
  from.at("unix_time").get_to(start.unix_time);
  return start;
}

EpochEnd end_from(const json& from) {
  return {static_cast<ExitCode>(from.at("exit_code").get<int>()),
          from.at("units_published").get<std::int64_t>(), from.at("unix_time").get<double>(),
          from.value("by_unlock", false)};
}

std::string dumped(const json& record, int indent) {
  return record.dump(indent, ' ', false, json::error_handler_t::replace);
}

// Of all members but the hash itself, as they are written without white space.
std::string hash_of(json record) {
  record.erase(hash_member);
  const auto text = dumped(record, -1);
  return hash128(std::as_bytes(std::span(text))).hex();
}

std::string encode(json record) {
  record[hash_member] = hash_of(record);
  return dumped(record, 1) + "\n";
}

// Records of 0.2 have no hash.
template <typename Record>
std::optional<Record> decode(const std::string& text, Record (*from)(const json&)) {
  try {
    const auto record = parse_json(text, {"lock"});
    if (record.contains(hash_member) && record[hash_member] != hash_of(record)) return std::nullopt;
    return from(record);
  } catch (const Error&) {
    return std::nullopt;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

template <typename Record>
std::string read_record(const fs::path& path, std::optional<Record>& record,
                        Record (*from)(const json&)) {
  if (!is_there(path)) return "is missing";
  if (!fs::is_regular_file(status_of(path))) return "is not a regular file";
  record = decode(read_text_file(path), from);
  return record ? "" : "is damaged";
}

// What a file of lock/ is about. Reserved space is of a process that may never have been the owner.
std::optional<Epoch> epoch_of(std::string_view name) {
  constexpr std::size_t least_digits = 4;
  constexpr std::size_t most_digits = 9;
  if (!name.starts_with('e') || name.ends_with(".reserved")) return std::nullopt;
  name.remove_prefix(1);
  Epoch epoch;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), epoch.value);
  const auto digits = static_cast<std::size_t>(rest - name.data());
  if (error != std::errc() || digits < least_digits || digits > most_digits || epoch.value < 1 ||
      epoch > last_epoch) {
    return std::nullopt;
  }
  name.remove_prefix(digits);
  const bool is_ours = name.starts_with(".json") || name.starts_with(".end.json") ||
                       (name.starts_with("-r") && name.ends_with(".inflight"));
  return is_ours ? std::optional(epoch) : std::nullopt;
}

std::vector<Epoch> epochs_in(const fs::path& directory) {
  if (!is_there(directory)) return {};
  std::set<Epoch> epochs;
  for (const auto& name : names_in_folder(directory, ExitCode::run_directory)) {
    if (const auto epoch = epoch_of(name)) epochs.insert(*epoch);
  }
  return {epochs.begin(), epochs.end()};
}

[[noreturn]] void refuse(const fs::path& file, const std::string& problem) {
  throw Error(
      ExitCode::run_directory, file.string(), problem,
      fmt::format("`moesweep unlock {}` mends it", file.parent_path().parent_path().string()));
}

EpochRecord last_record(const fs::path& directory, const EpochLink& link) {
  if (!link.start) refuse(start_file(directory, link.epoch), link.start_problem);
  if (!link.end_problem.empty()) refuse(end_file(directory, link.epoch), link.end_problem);
  return {link.epoch, *link.start, link.end};
}

void replace(const fs::path& path, const std::string& text) {
  const fs::path aside = path.string() + ".damaged";
  const auto type = link_status_of(path, ExitCode::run_directory).type();
  if (type == fs::file_type::regular)
    publish_file(aside, read_file(path));
  else if (type != fs::file_type::not_found)
    rename_durably(path, aside);
  publish_file(path, std::string_view(text));
}

}  // namespace

bool is_there(const fs::path& path) {
  return fs::exists(status_of(path, ExitCode::run_directory));
}

fs::path start_file(const fs::path& lock_directory, Epoch epoch) {
  return lock_directory / fmt::format("e{:04}.json", epoch.value);
}
fs::path end_file(const fs::path& lock_directory, Epoch epoch) {
  return lock_directory / fmt::format("e{:04}.end.json", epoch.value);
}

std::string encode_start(const EpochStart& start) {
  return encode(to_json(start));
}

std::optional<EpochStart> decode_start(const std::string& text) {
  return decode(text, start_from);
}

std::string encode_end(const EpochEnd& end) {
  json record = {{"exit_code", static_cast<int>(end.exit_code)},
                 {"units_published", end.units_published},
                 {"unix_time", end.unix_time}};
  if (end.by_unlock) record["by_unlock"] = true;
  return encode(std::move(record));
}

std::vector<EpochLink> look_at_epochs(const fs::path& lock_directory) {
  std::vector<EpochLink> links;
  for (const auto epoch : epochs_in(lock_directory)) {
    EpochLink link;
    link.epoch = epoch;
    link.start_problem = read_record(start_file(lock_directory, epoch), link.start, start_from);
    const auto end = end_file(lock_directory, epoch);
    if (is_there(end)) link.end_problem = read_record(end, link.end, end_from);
    links.push_back(std::move(link));
  }
  return links;
}

std::vector<EpochRecord> read_epochs(const fs::path& lock_directory) {
  const auto links = look_at_epochs(lock_directory);
  std::vector<EpochRecord> epochs;
  for (const auto& link : links) {
    if (&link == &links.back())
      epochs.push_back(last_record(lock_directory, link));
    else if (link.start)
      epochs.push_back({link.epoch, *link.start, link.end});
  }
  return epochs;
}

void mend_start(const fs::path& lock_directory, Epoch epoch, const EpochStart& start) {
  replace(start_file(lock_directory, epoch), encode_start(start));
}

void mend_end(const fs::path& lock_directory, Epoch epoch, const EpochEnd& end) {
  replace(end_file(lock_directory, epoch), encode_end(end));
}

}  // namespace moesweep::store
