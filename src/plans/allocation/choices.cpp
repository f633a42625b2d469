#include "choices.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

namespace moesweep::allocation {
namespace {

constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

struct Measured {
  double sse = not_measured;
  double nrmse = not_measured;
};

Measured measured(const Tensor& tensor, const Encoding& format) {
  if (format.keeps()) return {0.0, 0.0};
  const auto found = tensor.sse.find(format);
  if (found == tensor.sse.end()) return {};
  // Of a matrix of zeros every format is exact.
  const double nrmse =
      tensor.sum_squares == 0.0 ? 0.0 : std::sqrt(found->second / tensor.sum_squares);
  return {found->second, nrmse};
}

std::string name_of(const Encoding& format) {
  if (format.group_size == 0) return fmt::format("{} bits", format.bits);
  return fmt::format("{} bits in groups of {}", format.bits, format.group_size);
}

}  // namespace

std::optional<Choice> choice_of(const Problem& problem, const std::vector<std::size_t>& members,
                                const Encoding& format) {
  Choice choice{format, 0, 0.0, 0.0};
  for (const auto i : members) {
    const auto& tensor = problem.tensors[i];
    const auto bytes = format.keeps() ? tensor.kept_bytes() : problem.stored_bytes(tensor, format);
    if (bytes < 0) return std::nullopt;
    const auto [sse, nrmse] = measured(tensor, format);
    choice.bytes += bytes;
    // Also where its factor is 0: what was not measured is not known.
    choice.error += std::isnan(sse) ? not_measured : sse * problem.weights[i];
    choice.nrmse = std::isnan(nrmse) || nrmse > choice.nrmse ? nrmse : choice.nrmse;
  }
  return choice;
}

std::int32_t min_bits_of(const Problem& problem, const std::vector<std::size_t>& members) {
  std::int32_t least = 0;
  for (const auto i : members) {
    const auto found = problem.constraints.min_bits.find(problem.tensors[i].role);
    if (found != problem.constraints.min_bits.end()) least = std::max(least, found->second);
  }
  return least;
}

const Encoding* fixed_format(const Problem& problem, const std::vector<std::size_t>& members) {
  for (const auto i : members) {
    const auto found = problem.constraints.fixed.find(problem.tensors[i].role);
    if (found != problem.constraints.fixed.end()) return &found->second;
  }
  return nullptr;
}

namespace {

Decision kept(const Problem& problem, std::size_t module, std::string reason) {
  return {choice_of(problem, problem.members[module], Encoding{}).value(), std::move(reason)};
}

Decision nearest_of(const Problem& problem, std::size_t module, const Encoding& wanted,
                    const std::vector<Encoding>& formats, std::int32_t least, bool measured_only) {
  const auto distance = [&](const Encoding& format) {
    return std::tuple(std::abs(format.bits - wanted.bits), -format.bits,
                      std::abs(format.group_size - wanted.group_size), format.group_size,
                      format.quantizer != wanted.quantizer);
  };
  std::vector<const Encoding*> nearest_first;
  for (const auto& format : formats) {
    if (format.bits >= least) nearest_first.push_back(&format);
  }
  std::stable_sort(
      nearest_first.begin(), nearest_first.end(),
      [&](const Encoding* a, const Encoding* b) { return distance(*a) < distance(*b); });
  for (const auto* format : nearest_first) {
    auto choice = choice_of(problem, problem.members[module], *format);
    if (!choice || (measured_only && !std::isfinite(choice->error))) continue;
    // Formats with a block length of their own have no group size to miss.
    const bool as_wanted = format->bits == wanted.bits &&
                           (format->group_size == wanted.group_size || wanted.group_size == 0);
    if (as_wanted) return {std::move(*choice), ""};
    return {std::move(*choice),
            fmt::format("nearest to {} that is allowed and fits", name_of(wanted))};
  }
  return kept(problem, module, "kept: no allowed format can store it");
}

}  // namespace

Decision nearest(const Problem& problem, std::size_t module, const Encoding& wanted,
                 bool measured_only) {
  if (wanted.bits >= Encoding{}.bits && problem.constraints.may_keep)
    return kept(problem, module, "");
  return nearest_of(problem, module, wanted, problem.constraints.formats,
                    min_bits_of(problem, problem.members[module]), measured_only);
}

Decision nearest_to_fixed(const Problem& problem, std::size_t module, const Encoding& fixed,
                          bool measured_only) {
  if (fixed.keeps()) return kept(problem, module, "");
  const auto& constraints = problem.constraints;
  const auto& formats =
      constraints.runtime_formats.empty() ? constraints.formats : constraints.runtime_formats;
  return nearest_of(problem, module, fixed, formats, 0, measured_only);
}

}  // namespace moesweep::allocation
