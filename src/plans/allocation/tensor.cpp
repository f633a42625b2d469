#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <moesweep/core/base/csv.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::allocation {
namespace {

bool is_index(const std::string& component) {
  return !component.empty() && std::all_of(component.begin(), component.end(),
                                           [](char c) { return c >= '0' && c <= '9'; });
}

/// gate, up and down under the names that families give them.
std::string projection(const std::string& component) {
  for (const auto* first : {"gate_up_proj", "gate_proj", "up_proj", "w1", "w3"}) {
    if (component == first) return "gate_up";
  }
  for (const auto* second : {"down_proj", "w2"}) {
    if (component == second) return "down";
  }
  return component;
}

/// Where an --alpha file has what.
struct AlphaColumns {
  std::size_t pattern = 0, factor = 1, count = 2;
  std::string expected() const {
    return count == 2 ? "a line has a pattern and a factor"
                      : fmt::format("a line has {} cells, as the header", count);
  }
};

AlphaColumns columns_of(const std::vector<std::string>& header, const CsvRecords& records) {
  const auto index = [&](const char* column) {
    const auto found = std::ranges::find(header, column);
    if (found == header.end()) throw records.complaint(fmt::format("no column {}", column));
    return static_cast<std::size_t>(found - header.begin());
  };
  return {index("pattern"), index("alpha"), header.size()};
}

}  // namespace

std::int64_t Tensor::params() const {
  std::int64_t count = 1;
  for (const auto side : shape) count *= side;
  return count;
}

std::int64_t Tensor::bytes() const {
  return (params() * dtype_bits(dtype) + 7) / 8;
}

std::int64_t Tensor::kept_bytes() const {
  return kept_element_bytes == 0 ? bytes() : params() * kept_element_bytes;
}

bool is_measured(const Tensor& tensor, const Encoding& format) {
  const auto found = tensor.sse.find(format);
  return found != tensor.sse.end() && std::isfinite(found->second);
}

bool is_protected_by(const std::string& name, const std::string& pattern) {
  const bool is_glob = pattern.find_first_of("*?") != std::string::npos;
  return is_glob ? matches_glob(pattern, name) : contains_ignoring_case(name, pattern);
}

bool AlphaPattern::matches(const Tensor& tensor, const std::string& term) const {
  return matches_glob(glob, tensor.name) || matches_glob(glob, tensor.decision) ||
         matches_glob(glob, term);
}

ErrorFactor Alpha::of(const Tensor& tensor) const {
  const auto term = patterns.empty() ? std::string() : objective_term(tensor);
  for (const auto& pattern : patterns) {
    if (pattern.matches(tensor, term)) return {pattern.factor, "--alpha " + pattern.file};
  }
  const auto found = by_role.find(tensor.role);
  if (found != by_role.end()) return {found->second, "--alpha " + tensor.role};
  return has_prior ? tensor.prior : ErrorFactor{};
}

std::vector<AlphaPattern> parse_alpha(std::string_view text, const std::string& file) {
  std::vector<AlphaPattern> patterns;
  CsvRecords records(text, file);
  AlphaColumns columns;
  for (bool first = true; const auto cells = records.next(); first = false) {
    if (first && std::ranges::find(*cells, "alpha") != cells->end()) {
      columns = columns_of(*cells, records);
      continue;
    }
    if (cells->size() != columns.count) throw records.complaint(columns.expected());
    const auto& text_of_factor = cells->at(columns.factor);
    const auto factor = csv_number(text_of_factor);
    if (!factor || !std::isfinite(*factor) || *factor < 0.0) {
      throw records.complaint(fmt::format("\"{}\" is no factor of 0 or more", text_of_factor));
    }
    patterns.push_back({cells->at(columns.pattern), *factor, records.line(), file});
  }
  return patterns;
}

std::string objective_term(const Tensor& tensor) {
  if (tensor.role != "expert") return tensor.name;
  auto components = split_text(tensor.name, '.');
  if (components.size() > 1 && components.back() == "weight") components.pop_back();
  if (names::expert_of(tensor.name) >= 0) {
    // The last index of the name is the expert's: experts hold projections, not lists.
    const auto expert = std::find_if(components.rbegin(), components.rend(), is_index);
    if (expert != components.rend()) components.erase(std::next(expert).base());
  }
  components.back() = projection(components.back());
  std::string term;
  for (const auto& component : components) term += (term.empty() ? "" : ".") + component;
  return term;
}

}  // namespace moesweep::allocation
