// plan.json: what is read can be written and read again.

#include <moesweep/plans/plan/plan_file.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  fuzz::parses_or_refuses([&] {
    const auto plan = plan::parse_plan(fuzz::text_of(data, size), "plan.json");
    const auto text = plan::plan_json(plan);
    fuzz::require(plan::plan_json(plan::parse_plan(text, "plan.json")) == text);
  });
  return 0;
}
