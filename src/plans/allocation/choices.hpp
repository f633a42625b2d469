#pragma once
// A module in a format: what it takes and what it costs.

#include <optional>

#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::allocation {

/// The members in this format; nothing when one of them cannot be stored so. The error is NaN when
/// one was not measured so.
std::optional<Choice> choice_of(const Problem& problem, const std::vector<std::size_t>& members,
                                const Encoding& format);

/// The most of what the roles of the members ask for; 0 when nothing.
std::int32_t min_bits_of(const Problem& problem, const std::vector<std::size_t>& members);

/// The format that the members' role is fixed to; null when none.
const Encoding* fixed_format(const Problem& problem, const std::vector<std::size_t>& members);

/// The allowed choice with the nearest bits (more before fewer), then the nearest group size
/// (smaller before larger), measured or not. Kept for 16 bits and more where that is allowed, and
/// where nothing else can be.
Decision nearest(const Problem& problem, std::size_t module, const Encoding& wanted,
                 bool measured_only = false);

/// What the module's fixed role makes of it.
Decision nearest_to_fixed(const Problem& problem, std::size_t module, const Encoding& fixed,
                          bool measured_only = false);

}  // namespace moesweep::allocation
