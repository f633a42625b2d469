#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/config/settings.hpp>

#include "reader.hpp"

namespace moesweep::config {
namespace {

constexpr std::uint64_t largest_file_bytes = std::uint64_t{1} << 20;

template <typename T>
const T& value_of(const std::map<std::string, Value, std::less<>>& values, std::string_view key) {
  const auto found = values.find(key);
  if (found == values.end()) bug("no such option: " + std::string(key));
  const auto* value = std::get_if<T>(&found->second);
  if (value == nullptr) bug("option is of another type: " + std::string(key));
  return *value;
}

std::string read_bounded(const std::filesystem::path& path) {
  try {
    const auto file = open_for_reading(path);
    if (file_size(file, path) > largest_file_bytes) {
      throw Error(ExitCode::bad_job, path.string(), "is larger than 1 MiB",
                  "give a TOML file, not data");
    }
    return read_text(file, path);
  } catch (const Error& error) {
    // A disk that fails says nothing of the job: the batch script goes on after it.
    if (error.exit_code() == ExitCode::io_error) throw;
    throw Error(ExitCode::bad_job, error.where(), error.problem(), error.remedy());
  }
}

}  // namespace

bool Settings::boolean(std::string_view key) const {
  return value_of<bool>(values_, key);
}
std::int64_t Settings::integer(std::string_view key) const {
  return value_of<std::int64_t>(values_, key);
}
double Settings::number(std::string_view key) const {
  return value_of<double>(values_, key);
}
const std::string& Settings::text(std::string_view key) const {
  return value_of<std::string>(values_, key);
}
const TextList& Settings::texts(std::string_view key) const {
  return value_of<TextList>(values_, key);
}
const IntegerList& Settings::integers(std::string_view key) const {
  return value_of<IntegerList>(values_, key);
}
const NumberList& Settings::numbers(std::string_view key) const {
  return value_of<NumberList>(values_, key);
}
std::filesystem::path Settings::path(std::string_view key) const {
  return text(key);
}
std::string Settings::place_of(std::string_view key) const {
  const auto found = places_.find(key);
  if (found == places_.end()) bug("no such option: " + std::string(key));
  return found->second;
}

Settings parse_settings(std::span<const Option> options, std::string_view toml,
                        const std::filesystem::path& file_name,
                        std::span<const std::string> overrides) {
  return SettingsReader(options).read(toml, file_name, overrides);
}

Settings load_settings(std::span<const Option> options, const std::filesystem::path& file,
                       std::span<const std::string> overrides) {
  return parse_settings(options, read_bounded(file), file, overrides);
}

Settings settings_of(std::span<const Option> options, std::span<const GivenValue> given,
                     const std::string& name) {
  return SettingsReader(options).read(given, name);
}

}  // namespace moesweep::config
