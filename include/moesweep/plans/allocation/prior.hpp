#pragma once
// How much the error of a tensor counts before anything was measured of its model: a prior by role.
// Measured on small real models (docs/allocation.md, "The prior").

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::allocation {

/// Factors on relative squared errors; 1 for whatever has no role of its own.
struct PriorFactors {
  double head = 50.0;  ///< output head, and an embedding that is also the head
  double query = 0.5;
  double key = 0.5;
  double value = 2.0;
};

/// A factor from which on a tensor counts so much that its error is looked at by itself.
inline constexpr double counts_much = 10.0;

/// What a model's configuration says of its output.
struct OutputFacts {
  std::optional<bool> tied = {};    ///< tie_word_embeddings
  std::optional<bool> causal = {};  ///< does it predict tokens?
};

/// The embedding that is also the output head: `facts` say that they are tied, or that the model
/// predicts tokens and there is no head; where they say nothing, the name of the embedding does.
/// nullopt when there is none.
std::optional<std::size_t> tied_embedding(std::span<const Tensor> tensors,
                                          const OutputFacts& facts);

/// One for each tensor. A fused matrix has the mean of its parts, weighted by their parameters: of
/// q, k and v by the width of the output projection beside it (thirds without one), and of q with a
/// gate, which is twice as wide.
std::vector<ErrorFactor> prior_of(std::span<const Tensor> tensors, const OutputFacts& facts,
                                  const PriorFactors& factors = {});

}  // namespace moesweep::allocation
