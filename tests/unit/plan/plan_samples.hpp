#pragma once
// Plans to export: every tensor of Qwen3.5-397B-A17B, decided at random.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::test {

struct Setting {
  std::string quantizer;  ///< empty: keep
  std::int32_t bits = 0;
  std::int32_t group_size = 0;
  auto operator<=>(const Setting&) const = default;
};

extern const names::Architecture qwen35;

/// One of `settings` for each decision of the runtime, by `seed`; what the runtime drops or can't
/// quantize is dropped and kept.
records::Plan random_plan(names::Runtime runtime, std::span<const Setting> settings,
                          std::uint64_t seed);

/// A plan of these rows; action, quantizer, bits and group size are those of `setting`.
records::PlanRow plan_row(std::string tensor, std::string shape, const Setting& setting,
                          std::string dtype = "BF16");
records::Plan plan_of(std::vector<records::PlanRow> rows);

Setting setting_of(const records::PlanRow& row);

}  // namespace moesweep::test
