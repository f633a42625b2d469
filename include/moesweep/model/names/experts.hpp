#pragma once
// How the families of models store their stacks of experts.

#include <cstdint>
#include <optional>
#include <string_view>

namespace moesweep::names {

/// Order of the last two axes of a stack [E, ., .]: a quantization group runs along the input.
enum class ExpertAxes : std::uint8_t {
  out_in,  ///< as a Linear's weight
  in_out,  ///< transposed
};
std::string_view text_of(ExpertAxes axes);  ///< "[experts, out, in]"

/// Nothing for families that we know nothing of, or that store experts one by one.
std::optional<ExpertAxes> expert_axes_of(std::string_view model_type);

/// What a stack of experts is for, by the last component of its name that says so.
enum class ExpertProjection : std::uint8_t {
  gate_up,  ///< both: twice as many outputs as `down` has inputs
  gate_or_up,
  down,
};
std::optional<ExpertProjection> expert_projection_of(std::string_view name);

}  // namespace moesweep::names
