#pragma once
// Values as TOML text: exact, and the only spelling of each value (the fingerprint hashes it).

#include <string>
#include <string_view>

#include <moesweep/core/config/option.hpp>

namespace moesweep::config {

/// A TOML basic string.
std::string quoted_toml(std::string_view text);
/// One part of a key, quoted when it is not bare.
std::string key_text(std::string_view part);
/// Shortest decimal that reads back as the same double, always with a point or an exponent.
std::string number_text(double value);
/// "256MiB" with the largest power of 1024 that divides it, else plain bytes.
std::string size_text(std::int64_t bytes);
/// The value as it stands after `key = `.
std::string value_text(const Option& option, const Value& value);
/// At most 80 bytes of what a user gave, for a message that stays one line.
std::string shortened(std::string_view text);

}  // namespace moesweep::config
