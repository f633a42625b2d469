#pragma once
// A plan against what a checkpoint holds.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/names/runtime.hpp>
#include <moesweep/plans/found/found.hpp>

namespace moesweep::found {

/// What the plan says about a module of the runtime: one row of the plan, a part of one (halves of
/// gate_up_proj) or many (experts that are stacked).
struct PlannedModule {
  std::string name;
  formats::Encoding encoding{.bits = 0};
  std::int64_t columns = 0;  ///< last size
  std::int64_t params = 0;
  std::int64_t bytes = 0;
  bool dropped = false;              ///< the plan leaves it out
  std::vector<std::string> tensors;  ///< of the plan
  std::string problem;               ///< why the plan itself can't be followed; empty when sound
};

/// Modules of a runtime, sorted by name; tensors without a place in it are under their own names,
/// with a problem unless the plan drops them. Error(bad_input) for a row whose shape is no shape.
std::vector<PlannedModule> planned_modules(const records::Plan& plan, names::Runtime runtime,
                                           const names::Architecture& architecture);

/// How a module is stored, or is to be.
struct Storage {
  formats::Encoding encoding{.bits = 0};
  std::int64_t bytes = 0;
};

struct ModuleCheck {
  std::string module;
  std::optional<Storage> planned;  ///< nothing: the plan doesn't speak of it, or drops it
  std::optional<Storage> found;    ///< nothing: the checkpoint doesn't have it
  std::string why;                 ///< what is wrong; empty when found as planned
};

struct Comparison {
  std::vector<ModuleCheck> modules;  ///< of plan and checkpoint, sorted by name
  std::int64_t bytes_planned = 0;    ///< of the files
  std::int64_t bytes_found = 0;

  std::vector<ModuleCheck> offenders() const;
};

/// The runtime whose names a format uses. Plain checkpoints have the original names: those of
/// architecture "generic", in any runtime.
names::Runtime runtime_of(Format format);
names::Architecture names_in(Format format, const names::Architecture& architecture);

/// What a plain checkpoint is taken for: the model itself, or the dequantized values of one that
/// was quantized as planned; then its modules must be there as wide as the original's.
enum class Plain : std::uint8_t { original, dequantized };

/// Quantizer, bits, group, number of weights and bytes of every module. Kept tensors must have the
/// planned width; GGUF may widen them (its norms are F32). The total of bytes is reported and not
/// judged: headers and metadata are the writer's.
Comparison compare(const records::Plan& plan, const Found& found,
                   const names::Architecture& architecture, Plain plain = Plain::original);

}  // namespace moesweep::found
