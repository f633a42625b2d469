#pragma once
// Where in a model a tensor of a Hugging Face checkpoint sits.

#include <cstdint>
#include <string>
#include <string_view>

#include <moesweep/model/names/runtime.hpp>

#include "parts.hpp"

namespace moesweep::names {

enum class Section : std::uint8_t {
  top,              ///< embeddings, last norm, head
  layer,            ///< of the language model
  predictor,        ///< of more than the next token, outside of its layers
  predictor_layer,  ///< a layer of it
  vision,
  frequencies,  ///< rotary_emb.inv_freq, which every loader computes itself
  unknown,
};

struct Place {
  Section section = Section::unknown;
  std::int64_t layer = -1;
  std::int64_t expert = -1;
  const Part* part = nullptr;  ///< null in a vision tower, for frequencies, and when unknown
  std::string_view module;     ///< the name without leaf
  std::string_view leaf;       ///< "weight", "bias", "weight_scale_inv" or empty
};

/// `place.module` and `place.leaf` are views into `name`.
Place place_of(const Family& family, const Architecture& architecture, std::string_view name);

/// The name without ".weight" or ".bias" (or ".weight_scale_inv"), and what was cut off.
struct Leaf {
  std::string_view module;
  std::string_view leaf;
};
Leaf split_leaf(std::string_view name);

}  // namespace moesweep::names
