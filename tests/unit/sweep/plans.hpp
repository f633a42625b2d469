#pragma once
// Small plans for tests of the engine.

#include <string>
#include <vector>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/engine/sweep/plan.hpp>

namespace moesweep::sweep::test {

inline UnitSpec unit(const std::string& key, double seconds, Locality where = {},
                     std::int64_t peak_bytes = 1) {
  return {UnitId{hash64(key)}, key, {0, 0, peak_bytes, seconds}, where};
}

/// `count` units of `seconds` each, keys "<stage>/<position>".
inline Stage even_stage(const std::string& name, std::size_t count, double seconds = 1.0,
                        std::int64_t peak_bytes = 1) {
  Stage stage{name, {}};
  for (std::size_t i = 0; i < count; ++i) {
    stage.units.push_back(unit(name + "/" + std::to_string(i), seconds,
                               {0, static_cast<std::uint64_t>(i)}, peak_bytes));
  }
  return stage;
}

inline Plan even_plan(std::size_t count, double seconds = 1.0) {
  return Plan({even_stage("only", count, seconds)});
}

}  // namespace moesweep::sweep::test
