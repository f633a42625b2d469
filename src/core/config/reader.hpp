#pragma once
// From TOML text and an option table to Settings.

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/config/settings.hpp>

#include "document.hpp"
#include "option_index.hpp"

namespace moesweep::config {

class SettingsReader {
 public:
  /// A table with an option "kind" makes the kind decide which keys are known. Points into
  /// `options`, which must outlive it.
  explicit SettingsReader(std::span<const Option> options);

  /// Checks each key by itself; rules between keys are the caller's. Throws as parse_settings does.
  Settings read(std::string_view toml, const std::filesystem::path& file_name,
                std::span<const std::string> overrides) const;
  /// The same of values; messages call what lacks a key `name`.
  Settings read(std::span<const GivenValue> given, const std::string& name) const;

 private:
  using Given = std::map<std::string, Entry, std::less<>>;

  std::vector<Document> read_documents(std::string_view toml, const std::string& file_name,
                                       std::span<const std::string> overrides) const;
  /// Later documents win.
  Settings settled(const std::vector<Document>& documents, const std::string& file_name,
                   const std::filesystem::path& base_directory) const;
  void check_schema(const Given& given) const;
  std::string kind_of(const Given& given, const std::string& file_name) const;
  void check_known(const Entry& entry, const OptionIndex& known, std::string_view kind) const;
  [[noreturn]] void refuse_missing(const Option& option, const std::string& file_name) const;

  std::span<const Option> options_;
  OptionIndex all_;
};

}  // namespace moesweep::config
