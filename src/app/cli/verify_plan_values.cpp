#include "verify_plan_values.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/plans/plan/family.hpp>

namespace moesweep::cli {
namespace {

/// Each by a task of its own; the first failure in their order is thrown.
template <typename Check>
void for_each_at_once(std::vector<Check>& checks, const std::function<void(Check&)>& look) {
  std::vector<std::exception_ptr> failures(checks.size());
  {
    parallel::TaskPool pool(parallel::available_cpus());
    for (std::size_t i = 0; i < checks.size(); ++i) {
      pool.start([&, i] {
        try {
          look(checks[i]);
        } catch (...) {
          failures[i] = std::current_exception();
        }
      });
    }
  }
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

bool is_known(const formats::Encoding& encoding) {
  const auto* const format = formats::find_format(encoding.quantizer);
  return format != nullptr && format->offers(encoding);
}

/// Tensor and reason.
std::vector<std::pair<std::string, std::string>> not_compared(const ValueChecks& checks) {
  std::vector<std::pair<std::string, std::string>> tensors;
  for (const auto& check : checks.errors) {
    if (check.measured || !check.why.empty()) continue;
    tensors.emplace_back(check.row.tensor, "codes of this layout aren't read here");
  }
  for (const auto& [row, values] : checks.kept) {
    if (!values.not_compared.empty()) tensors.emplace_back(row.tensor, values.not_compared);
  }
  return tensors;
}

/// JSON has no infinity; `why` says it.
Json json_number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

}  // namespace

std::int64_t ValueChecks::offenders() const {
  return std::ranges::count_if(errors, [](const auto& check) { return !check.why.empty(); }) +
         std::ranges::count_if(kept, [](const auto& check) { return !check.values.why.empty(); });
}

ValueChecks check_values(const records::Plan& plan, const ComparedCheckpoints& checkpoints) {
  const auto& [written, found, original, architecture] = checkpoints;
  ValueChecks checks;
  for (const auto& row : plan.rows) {
    if (row.action == "quantize") checks.errors.push_back({row, std::nullopt, {}});
    if (row.action == "keep") checks.kept.push_back({row, {}});
  }
  const auto expert_patterns = plan::expert_patterns_of(plan);
  const found::Measurement measurement(written, found, original, architecture, expert_patterns);
  for_each_at_once<ErrorCheck>(checks.errors, [&](ErrorCheck& check) {
    check.measured = measurement.measure(check.row);
    if (check.measured) {
      check.why = found::why_not_planned(check.row, *check.measured);
    } else if (found.format == found::Format::plain && !is_known(formats::encoding_of(check.row))) {
      check.why = "no such format is known";
    }
  });
  const found::KeptComparison comparison(written, found, original, architecture);
  for_each_at_once<KeptCheck>(
      checks.kept, [&](KeptCheck& check) { check.values = comparison.compare(check.row); });
  return checks;
}

std::string values_text(const ValueChecks& checks) {
  std::string text;
  if (!checks.errors.empty()) {
    // Against a plan that knows the error.
    const auto compared = std::ranges::count_if(checks.errors, [](const ErrorCheck& check) {
      return check.measured && !std::isnan(check.row.sse);
    });
    const auto unplanned = std::ranges::count_if(
        checks.errors, [](const ErrorCheck& check) { return std::isnan(check.row.sse); });
    text += fmt::format(", squared errors of {} of {} tensors as planned", format_count(compared),
                        format_count(std::ssize(checks.errors)));
    if (unplanned > 0) {
      text += fmt::format(", {} not measured in the plan", format_count(unplanned));
    }
  }
  if (!checks.kept.empty()) {
    const auto equal = std::ranges::count_if(checks.kept, [](const KeptCheck& check) {
      return check.values.why.empty() && check.values.not_compared.empty();
    });
    text += fmt::format(", {} of {} kept tensors are the original's", format_count(equal),
                        format_count(std::ssize(checks.kept)));
  }
  return text;
}

void print_not_compared(const ValueChecks& checks) {
  constexpr std::size_t most = 5;
  const auto tensors = not_compared(checks);
  if (tensors.empty()) return;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, tensors.size()); ++i) {
    const auto& [tensor, why] = tensors[i];
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", printable(tensor), printable(why));
  }
  if (tensors.size() > most) {
    text += fmt::format(" and {} more: --json lists all", tensors.size() - most);
  }
  fmt::print("values of {} {} were not compared: {}\n", format_count(std::ssize(tensors)),
             tensors.size() == 1 ? "tensor" : "tensors", text);
}

void add_to(Json& document, const ValueChecks& checks) {
  auto& errors = document["errors"] = Json::array();
  for (const auto& check : checks.errors) {
    errors.push_back({{"tensor", check.row.tensor},
                      {"planned_sse", check.row.sse},
                      {"measured_sse", check.measured ? Json(check.measured->sse) : Json()},
                      {"why", check.why}});
  }
  auto& kept = document["kept"] = Json::array();
  for (const auto& [row, values] : checks.kept) {
    kept.push_back({{"tensor", row.tensor},
                    {"different", values.different},
                    {"largest_difference", json_number(values.largest)},
                    {"why", values.why}});
  }
  auto& missed = document["not_compared"] = Json::array();
  for (const auto& [tensor, why] : not_compared(checks)) {
    missed.push_back({{"tensor", tensor}, {"why", why}});
  }
}

}  // namespace moesweep::cli
