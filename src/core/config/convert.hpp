#pragma once
// A TOML node as the value of an option.

#include <filesystem>

#include <moesweep/core/config/option.hpp>

#include "document.hpp"

namespace moesweep::config {

/// Throws Error(bad_job) at the entry's place: a wrong type, a value out of range or not among the
/// choices, a NaN, an empty or repeating list where the option forbids it, control characters.
/// Relative paths are completed with `base_directory`.
Value convert(const Option& option, const Entry& entry,
              const std::filesystem::path& base_directory);

/// The type in words: "a list of integers".
std::string_view type_text(ValueType type);

}  // namespace moesweep::config
