// What the runtimes' mappings are put together from.

#include <fmt/format.h>

#include "runtimes.hpp"

namespace moesweep::names {

Mapping dropped(std::string reason) {
  return {Fate::dropped, {}, false, std::move(reason)};
}

Mapping unmapped(std::string reason) {
  return {Fate::unmapped, {}, false, std::move(reason)};
}

Mapping kept(RuntimeTensor target, std::string reason) {
  return {Fate::mapped, {std::move(target)}, false, std::move(reason)};
}

Mapping quantized(RuntimeTensor target) {
  return {Fate::mapped, {std::move(target)}, true, {}};
}

Mapping quantized_if_whole(const Question& question, std::vector<RuntimeTensor> targets,
                           std::int64_t least_group) {
  Mapping mapping{Fate::mapped, std::move(targets), false, {}};
  const auto kind = question.place.part == nullptr ? Kind::linear : question.place.part->kind;
  const bool stack = kind == Kind::fused_gate_up || kind == Kind::fused_down;
  const std::size_t rank = stack ? 3 : 2;
  if (!stack && question.place.leaf != "weight") {
    mapping.reason = fmt::format("a {} is kept", question.place.leaf);
  } else if (question.shape.size() != rank) {
    mapping.reason = fmt::format("has {} axes instead of {}", question.shape.size(), rank);
  } else if (question.shape.back() % least_group != 0) {
    mapping.reason = fmt::format("rows of {} weights are no whole groups of {}",
                                 question.shape.back(), least_group);
  } else {
    mapping.quantizable = true;
  }
  return mapping;
}

bool has_halves(std::span<const std::int64_t> shape) {
  return shape.size() == 3 && shape[1] % 2 == 0;
}

Mapping halves(const Question& question, std::string gate_module, std::string up_module,
               std::string_view suffix, std::int64_t least_group) {
  if (!has_halves(question.shape)) return unmapped(std::string(no_halves));
  const auto half = question.shape[1] / 2;
  std::vector<RuntimeTensor> targets = {
      {.module = std::move(gate_module), .suffix = std::string(suffix), .rows = half},
      {.module = std::move(up_module),
       .suffix = std::string(suffix),
       .first_row = half,
       .rows = half}};
  return quantized_if_whole(question, std::move(targets), least_group);
}

}  // namespace moesweep::names
