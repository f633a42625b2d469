#pragma once
// A TOML file checked against its option table and completed with the defaults.

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/config/option.hpp>

namespace moesweep::config {

/// Every key of the table that applies to the job's kind, resolved. Asking for a key that is not in
/// the table, or for one that is absent, is a bug.
class Settings {
 public:
  /// False only for keys that may be absent.
  bool has(std::string_view key) const { return values_.find(key) != values_.end(); }
  bool boolean(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;  ///< sizes too, in bytes
  double number(std::string_view key) const;
  const std::string& text(std::string_view key) const;
  const TextList& texts(std::string_view key) const;
  const IntegerList& integers(std::string_view key) const;
  const NumberList& numbers(std::string_view key) const;
  /// A path key, absolute: relative ones are taken from the folder of the job file, with --set too,
  /// and of given values from the working directory.
  /// text() and values() hold the same absolute path.
  std::filesystem::path path(std::string_view key) const;
  /// "job.toml:12" where the key was given, "--set", GivenValue::place or "default".
  std::string place_of(std::string_view key) const;
  const std::map<std::string, Value, std::less<>>& values() const { return values_; }

 private:
  friend class SettingsReader;
  std::map<std::string, Value, std::less<>> values_;
  std::map<std::string, std::string, std::less<>> places_;
};

/// Reads a file and checks each key by itself; what keys must satisfy together is their owner's to
/// check. `overrides` are "key=value" as given to --set, the value in TOML syntax (for a key that
/// holds text, a path or a size the quotes may be left out); a later one wins. The first problem,
/// in the order of the file, is Error(bad_job) naming file:line (or --set), the key, and for an
/// unknown key the nearest valid one; a wrong type, a value out of range, a missing required key, a
/// schema number other than 1, a key of another job kind and nesting deeper than 16 too. An
/// unreadable file and one beyond 1 MiB are Error(bad_job), an override without "=" is
/// Error(bad_usage).
Settings load_settings(std::span<const Option> options, const std::filesystem::path& file,
                       std::span<const std::string> overrides = {});
/// The same from text; `file_name` is used in messages and its folder for relative paths.
Settings parse_settings(std::span<const Option> options, std::string_view toml,
                        const std::filesystem::path& file_name,
                        std::span<const std::string> overrides = {});

/// What a program sets a key to, where a file has a line.
struct GivenValue {
  std::string key;
  Value value;        ///< a size may be text too: "4GiB"
  std::string place;  ///< whose mistake a wrong one is: "--plan"
};
/// The same from values, each key once: checked as if they stood in a file in this order, which
/// messages call `name`. Relative paths are taken from the working directory.
Settings settings_of(std::span<const Option> options, std::span<const GivenValue> given,
                     const std::string& name);

/// The settings as TOML, every key with its value, paths absolute, one comment line of help each;
/// parse_settings of it gives the same values.
std::string to_toml(std::span<const Option> options, const Settings& settings);

/// Input files that a result depends on: name and hash of header and size.
struct InputHash {
  std::string name;
  Hash128 hash;
};

/// XXH3-128 over `what` (the kind of file: equal keys of different tables differ), every key with
/// in_fingerprint, in table order, and the inputs in the given order.
Hash128 fingerprint(std::string_view what, std::span<const Option> options,
                    const Settings& settings, std::span<const InputHash> inputs);

/// Keys with in_fingerprint whose values differ, with both values: "sensitivity.bits: [2, 4] here,
/// [2, 3] in the run directory".
std::vector<std::string> differences(std::span<const Option> options, const Settings& settings,
                                     const Settings& recorded);

/// JSON Schema (draft 2020-12) of a file with these options, for editors with a TOML language
/// server (Taplo, Even Better TOML).
std::string json_schema(std::span<const Option> options, std::string_view title);

/// The options as a Markdown table: key, type, default, help.
std::string markdown_reference(std::span<const Option> options);

}  // namespace moesweep::config
