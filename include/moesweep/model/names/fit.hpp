#pragma once
// How many tensors of a checkpoint have a name in an architecture.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/model/names/runtime.hpp>

namespace moesweep::names {

struct NamedShape {
  std::string_view name;
  std::span<const std::int64_t> shape;
};

/// Tensors that are mapped, or dropped by rule.
struct Fit {
  std::int64_t tensors = 0;
  double params = 0.0;
};
Fit fit_of(Runtime runtime, const Architecture& architecture, std::span<const NamedShape> tensors);

/// The known architecture, other than "generic", that knows the names of most parameters, when
/// those are more than in `architecture`: "did you mean mixtral? It knows 45 of 45 tensors".
std::string remedy_for_architecture(Runtime runtime, const Architecture& architecture,
                                    std::span<const NamedShape> tensors);

}  // namespace moesweep::names
