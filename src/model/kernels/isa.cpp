#include <moesweep/model/kernels/isa.hpp>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "isa.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h must come first.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace moesweep::kernels {
namespace HWY_NAMESPACE {

inline const char* compiled_target() {
  return hwy::TargetName(HWY_TARGET);
}

}  // namespace HWY_NAMESPACE
}  // namespace moesweep::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <moesweep/core/base/error.hpp>

namespace moesweep::kernels {
namespace {

HWY_EXPORT(compiled_target);

// What CPU and build have, whatever is pinned: evaluated before the first pin takes effect.
std::int64_t native_targets() {
  static const std::int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  return targets;
}

// Highway caches its choice at the first dispatched call; the update replaces that choice.
void use_targets(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

std::string active_isa() {
  return HWY_DYNAMIC_DISPATCH(compiled_target)();
}

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (std::int64_t rest = native_targets(); rest != 0; rest &= rest - 1) {
    names.emplace_back(hwy::TargetName(rest & -rest));
  }
  return names;
}

void pin_isa(const std::string& name) {
  const std::int64_t native = native_targets();
  if (name == "native") return use_targets(native);
  std::string known;
  for (std::int64_t rest = native; rest != 0; rest &= rest - 1) {
    const std::int64_t target = rest & -rest;
    if (name == hwy::TargetName(target)) return use_targets(target);
    known += std::string(", ") + hwy::TargetName(target);
  }
  throw Error(ExitCode::bad_job, "resources.isa",
              "this machine and build have no instruction set named \"" + printable(name) + "\"",
              "use one of: native" + known);
}

}  // namespace moesweep::kernels

#endif  // HWY_ONCE
