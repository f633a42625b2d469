#include <fmt/format.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/model/names/fit.hpp>

namespace moesweep::names {

Fit fit_of(Runtime runtime, const Architecture& architecture, std::span<const NamedShape> tensors) {
  Fit fit;
  for (const auto& [name, shape] : tensors) {
    if (map_tensor(runtime, architecture, name, shape).fate == Fate::unmapped) continue;
    double params = 1.0;
    for (const auto side : shape) params *= static_cast<double>(side);
    ++fit.tensors;
    fit.params += params;
  }
  return fit;
}

std::string remedy_for_architecture(Runtime runtime, const Architecture& architecture,
                                    std::span<const NamedShape> tensors) {
  auto most = fit_of(runtime, architecture, tensors);
  std::string best;
  for (const auto model_type : known_architectures()) {
    if (model_type == "generic") continue;
    auto other = architecture;
    other.model_type = model_type;
    const auto fit = fit_of(runtime, other, tensors);
    if (fit.params <= most.params) continue;
    most = fit;
    best = model_type;
  }
  if (best.empty()) return "no other fits better; generic keeps names as they are";
  return fmt::format("did you mean {}? It knows {} of {} tensors", best, format_count(most.tensors),
                     format_count(std::ssize(tensors)));
}

}  // namespace moesweep::names
