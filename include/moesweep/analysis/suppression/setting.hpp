#pragma once
// What a suppression run varies: how irrelevant spans are weakened, and how a sample becomes one
// vector.

#include <cstdint>
#include <optional>
#include <string_view>

namespace moesweep::suppression {

enum class Mode : std::uint8_t { soft_mask, hard_mask, directional };
enum class Pooling : std::uint8_t { last_token, mean, evidence_mean };

/// As in job files and tables.
std::string_view mode_name(Mode mode);
std::string_view pooling_name(Pooling pooling);
/// Nothing for a name that is none.
std::optional<Mode> parse_mode(std::string_view name);
std::optional<Pooling> parse_pooling(std::string_view name);

struct Setting {
  Mode mode = Mode::soft_mask;
  double parameter = 0.0;  ///< tau of hard_mask, alpha of directional, 0 and unused for soft_mask
  Pooling pooling = Pooling::mean;
};

}  // namespace moesweep::suppression
