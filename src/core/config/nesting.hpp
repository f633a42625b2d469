#pragma once
// Depth of a TOML text, found without building it: toml++ bounds nested values (256) but not dotted
// keys, and a key of 200,000 parts overflows the stack when its tables are destroyed.

#include <cstddef>
#include <optional>
#include <string_view>

namespace moesweep::config {

/// Line (from 1) on which a key or value is nested deeper than `limit`: brackets and braces that
/// are open plus dots of the keys (and numbers) they stand in. Nothing when none is. Text that is
/// not TOML gets some answer, and bounded depth up to the place where a parser gives up.
std::optional<std::size_t> line_nested_deeper_than(std::string_view toml, std::size_t limit);

}  // namespace moesweep::config
