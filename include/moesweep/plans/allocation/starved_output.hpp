#pragma once
// Plans that give the output head too few bits: made before the prior (0.2), or without it.

#include <optional>
#include <string>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/plans/allocation/prior.hpp>

namespace moesweep::allocation {

/// A quantized output head (or embedding that is also the head) with bits two or more below the
/// mean of the other quantized tensors, weighted by their parameters.
struct StarvedOutput {
  std::string tensor;
  double bits = 0.0;
  double mean_of_rest = 0.0;
  /// "model.embed_tokens.weight, ..., has 2 bits, 2.6 fewer than the rest: ..."
  std::string text() const;
};

/// Nothing for plans that count it as the prior does, or have no such tensor.
std::optional<StarvedOutput> starved_output(const records::Plan& plan, const OutputFacts& facts);

}  // namespace moesweep::allocation
