#pragma once
// A TOML text as a list of dotted keys in the order of the file.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include <moesweep/core/config/settings.hpp>

#include "option_index.hpp"

namespace moesweep::config {

/// A key that was given. A table is followed down only where the option table knows it; any other
/// table is one entry.
struct Entry {
  std::string key;
  std::string place;  ///< "job.toml:12"
  const toml::node* node = nullptr;
};

/// Owns the nodes that its entries point to.
struct Document {
  toml::table root;
  std::vector<Entry> entries;
};

/// Throws Error(bad_job) with file and line: a NUL byte, text that is not UTF-8, nesting deeper
/// than 16, anything that is not TOML 1.0.
Document read_document(std::string_view toml, const std::string& file_name,
                       const OptionIndex& options);

/// One override "key=value" as a document whose places are "--set". Throws Error(bad_usage) without
/// a key and "=", Error(bad_job) for an unknown key.
Document read_override(std::string_view text, const OptionIndex& options);

/// Values as a document, in their order: what a program gives is judged as what a file says. Throws
/// Error(bad_job) for text that is not UTF-8, which no file could hold.
Document document_of(std::span<const GivenValue> given);

}  // namespace moesweep::config
