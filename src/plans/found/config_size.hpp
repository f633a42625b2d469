#pragma once
// Sizes in config.json of a checkpoint that somebody else wrote.

#include <cstdint>

#include <nlohmann/json.hpp>

namespace moesweep::found {

/// An integer within [1, 2^20] under a key, or `missing`. Error(bad_input) for other values.
std::int32_t size_under(const nlohmann::json& object, const char* key, std::int32_t missing);

}  // namespace moesweep::found
