#pragma once
// What was meant by a pattern that matches nothing.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace moesweep {

/// The pattern with its text replaced by the run of dotted components of `names` that it is most
/// like: "lmhead" -> "lm_head", "*expert.3*" -> "*experts.3*". The stars and question marks at its
/// ends stay. Nothing when no run is close enough to be a typo.
std::optional<std::string> nearest_pattern(std::string_view pattern,
                                           std::span<const std::string> names);

/// One of the dotted components of one of the names.
bool is_component_of(std::string_view pattern, std::span<const std::string> names);

/// "did you mean "lm_head"?", or how to list the names.
std::string remedy_for_pattern(std::string_view pattern, std::span<const std::string> names);

}  // namespace moesweep
