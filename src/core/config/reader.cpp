#include "reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>

#include "convert.hpp"
#include "value_text.hpp"

namespace moesweep::config {

SettingsReader::SettingsReader(std::span<const Option> options)
    : options_(options), all_(options) {}

Settings SettingsReader::read(std::string_view toml, const std::filesystem::path& file_name,
                              std::span<const std::string> overrides) const {
  const auto name = file_name.string();
  const auto base_directory = (std::filesystem::current_path() / file_name).parent_path();
  return settled(read_documents(toml, name, overrides), name, base_directory);
}

Settings SettingsReader::read(std::span<const GivenValue> given, const std::string& name) const {
  std::vector<Document> documents;
  documents.push_back(document_of(given));
  return settled(documents, name, std::filesystem::current_path());
}

Settings SettingsReader::settled(const std::vector<Document>& documents,
                                 const std::string& file_name,
                                 const std::filesystem::path& base_directory) const {
  Given given;
  for (const auto& document : documents) {
    for (const auto& entry : document.entries) given.insert_or_assign(entry.key, entry);
  }
  check_schema(given);
  const auto kind = kind_of(given, file_name);
  const OptionIndex known(options_, kind);

  Settings settings;
  for (const auto& document : documents) {
    for (const auto& entry : document.entries) {
      check_known(entry, known, kind);
      settings.values_.insert_or_assign(entry.key,
                                        convert(*known.find(entry.key), entry, base_directory));
      settings.places_.insert_or_assign(entry.key, entry.place);
    }
  }
  for (const auto& option : options_) {
    if (!knows_kind(option, kind) || settings.values_.contains(option.key)) continue;
    if (option.may_be_absent) continue;
    if (!option.default_value) refuse_missing(option, file_name);
    settings.values_.emplace(option.key, *option.default_value);
    settings.places_.emplace(option.key, "default");
  }
  return settings;
}

std::vector<Document> SettingsReader::read_documents(std::string_view toml,
                                                     const std::string& file_name,
                                                     std::span<const std::string> overrides) const {
  std::vector<Document> documents;
  documents.push_back(read_document(toml, file_name, all_));
  for (const auto& text : overrides) documents.push_back(read_override(text, all_));
  return documents;
}

/// Before anything else: the keys of another schema are not ours to judge.
void SettingsReader::check_schema(const Given& given) const {
  const auto found = given.find("schema");
  const auto* option = all_.find("schema");
  if (found == given.end() || option == nullptr) return;
  const auto* number = found->second.node->as_integer();
  if (number == nullptr || number->get() == 1) return;
  throw Error(ExitCode::bad_job, found->second.place,
              fmt::format("schema {} is not known, this moesweep reads schema 1", number->get()),
              "use the version of moesweep that the file was written for");
}

std::string SettingsReader::kind_of(const Given& given, const std::string& file_name) const {
  const auto* option = all_.find("kind");
  if (option == nullptr) return {};
  const auto found = given.find("kind");
  if (found == given.end()) {
    // A misspelt `kind` is the likelier mistake, and says more.
    for (const auto& [key, entry] : given) {
      if (all_.find(key) == nullptr && !all_.is_table(key)) all_.refuse_unknown(key, entry.place);
    }
    refuse_missing(*option, file_name);
  }
  return std::get<std::string>(convert(*option, found->second, {}));
}

void SettingsReader::check_known(const Entry& entry, const OptionIndex& known,
                                 std::string_view kind) const {
  if (known.find(entry.key) != nullptr) return;
  if (const auto* option = all_.find(entry.key)) {
    throw Error(ExitCode::bad_job, entry.place,
                fmt::format("{} is a key of kind {}, this job is of kind \"{}\"", entry.key,
                            fmt::join(option->kinds, ", "), kind),
                "remove the key");
  }
  if (all_.is_table(entry.key)) {
    throw Error(ExitCode::bad_job, entry.place, fmt::format("{} must be a table", entry.key),
                fmt::format("write [{}] on a line of its own and its keys below", entry.key));
  }
  known.refuse_unknown(entry.key, entry.place);
}

void SettingsReader::refuse_missing(const Option& option, const std::string& file_name) const {
  throw Error(ExitCode::bad_job, file_name, fmt::format("{} is missing", option.key), option.help);
}

}  // namespace moesweep::config
