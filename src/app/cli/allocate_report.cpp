#include "allocate_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/model/names/role.hpp>

#include "text_table.hpp"

namespace moesweep::cli {
namespace {

using planning::AllocateReport;
using planning::PlannedSize;
using records::PlanRow;

/// Tensors of a role or layer.
struct Group {
  std::int64_t tensors = 0, quantized = 0, params = 0, bytes = 0;
  double sse = 0.0, sum_squares = 0.0;
  std::map<std::int32_t, std::int64_t> params_with_bits;

  void add(const PlanRow& row) {
    ++tensors;
    quantized += row.action == "quantize" ? 1 : 0;
    params += row.params;
    bytes += row.bytes;
    params_with_bits[row.bits] += row.params;
    // Not measured: what the error is then nobody knows.
    sse += row.sse;
    // What is kept has no error, measured or not; without squares it is left out.
    const bool left_out = std::isnan(row.sum_squares) && row.action == "keep";
    sum_squares += left_out ? 0.0 : row.sum_squares;
  }
  double bits_per_weight() const {
    return 8.0 * static_cast<double>(bytes) / static_cast<double>(params);
  }
  /// Root of pooled SSE over the pooled squares of what was measured; NaN when anything quantized
  /// was not.
  double nrmse() const { return sse == 0.0 ? 0.0 : std::sqrt(sse / sum_squares); }
};

template <typename Key>
using Groups = std::map<Key, Group>;

Groups<std::string> by_role(const AllocateReport& report) {
  Groups<std::string> groups;
  for (const auto& row : report.plan.rows) {
    if (row.action != "drop") groups[row.role].add(row);
  }
  return groups;
}

/// A layer of a list: predictors and vision towers have a layer 0 of their own.
struct Layer {
  std::string list;  ///< "model.language_model.layers"; empty outside of lists
  std::int64_t index = -1;
  auto operator<=>(const Layer&) const = default;
};

Layer layer_of(const std::string& tensor) {
  const auto index = names::layer_of(tensor);
  if (index < 0) return {};
  return {tensor.substr(0, names::pattern_of(tensor).find(".{layer}")), index};
}

Groups<Layer> by_layer(const AllocateReport& report) {
  Groups<Layer> groups;
  for (const auto& row : report.plan.rows) {
    if (row.action != "drop") groups[layer_of(row.tensor)].add(row);
  }
  return groups;
}

/// The list with the most layers, whose layers need no more than a number.
std::string main_list(const Groups<Layer>& groups) {
  std::map<std::string, std::int64_t> layers;
  for (const auto& [layer, group] : groups) layers[layer.list] += layer.list.empty() ? 0 : 1;
  if (layers.empty()) return {};
  return std::ranges::max_element(layers, {}, [](const auto& list) { return list.second; })->first;
}

std::string number(double value, const char* format) {
  return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "-";
}

/// "3:12% 4:88%", by parameters.
std::string shares(const Group& group) {
  std::vector<std::string> parts;
  for (const auto& [bits, params] : group.params_with_bits) {
    const double percent = 100.0 * static_cast<double>(params) /
                           static_cast<double>(std::max<std::int64_t>(group.params, 1));
    if (percent >= 0.05) parts.push_back(fmt::format("{}:{:.3g}%", bits, percent));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

void print_roles(const AllocateReport& report) {
  TextTable table(
      {"role", "tensors", "quantized", "parameters", "bits per weight", "size", "nrmse"});
  for (const auto& [role, group] : by_role(report)) {
    table.add({role, format_count(group.tensors), format_count(group.quantized),
               format_count(group.params), number(group.bits_per_weight(), "{:.4f}"),
               format_size(group.bytes), number(group.nrmse(), "{:.5f}")});
  }
  table.print();
}

void print_layers(const AllocateReport& report) {
  const auto groups = by_layer(report);
  if (groups.size() < 2) return;
  TextTable table({"layer", "bits per weight", "size", "nrmse", "parameters by bits"});
  const auto usual = main_list(groups);
  for (const auto& [layer, group] : groups) {
    const auto prefix = layer.list == usual ? std::string() : layer.list + ".";
    table.add({layer.index < 0 ? "none" : fmt::format("{}{}", prefix, layer.index),
               number(group.bits_per_weight(), "{:.4f}"), format_size(group.bytes),
               number(group.nrmse(), "{:.5f}"), shares(group)});
  }
  fmt::print("\n");
  table.print();
}

void print_curve(const AllocateReport& report) {
  if (report.curve.empty()) return;
  fmt::print("\nwhat any size buys (sizes without file headers)\n");
  TextTable table({"bits per weight", "size", "error"});
  for (const auto& point : report.curve) {
    table.add({fmt::format("{:.4f}", report.bits_per_weight(point.bytes)), format_size(point.bytes),
               number(point.error, "{:.6g}")});
  }
  table.print();
}

/// Empty when the error of all that is quantized was measured.
std::string what_was_measured(const PlannedSize& size) {
  if (size.tensors_measured == size.tensors_quantized) return {};
  return fmt::format("measured for {} of {} quantized tensors ({:.1f} % of their parameters)",
                     format_count(size.tensors_measured), format_count(size.tensors_quantized),
                     100.0 * size.measured_share());
}

std::string with_coverage(const PlannedSize& size) {
  const auto measured = what_was_measured(size);
  if (measured.empty() || size.how.empty()) return size.how + measured;
  return size.how + "; " + measured;
}

void print_comparison(const AllocateReport& report) {
  if (report.compared.empty()) return;
  fmt::print("\nwhat as many bytes buy\n");
  TextTable table({"method", "bits per weight", "size", "error", "how"});
  for (const auto& [method, size] : report.compared) {
    table.add({method, fmt::format("{:.4f}", report.bits_per_weight(size.bytes)),
               format_size(size.bytes), number(size.error, "{:.6g}"), with_coverage(size)});
  }
  table.print();
  if (!report.why_no_swan.empty()) fmt::print("no plan by swan: {}\n", report.why_no_swan);
}

/// 0 for an error of 0, NaN when one of the two is not known.
double gap_of(const AllocateReport& report) {
  const double error = report.size.error;
  return error == 0.0 ? 0.0 : (error - report.lower_bound) / error;
}

/// A proven optimum needs no bound: where little error is left, the relaxed one is far below.
std::string optimality(const AllocateReport& report) {
  if (report.plan.method != "budget") return {};
  if (report.proven_optimal) return ", proven to be the least";
  return fmt::format(", the search met its limit: the least is at most {:.4f} % smaller",
                     100.0 * gap_of(report));
}

void print_error_of_plan(const AllocateReport& report) {
  const auto measured = what_was_measured(report.size);
  fmt::print("error {}{}{}\n", number(report.size.error, "{:.6g}"), optimality(report),
             measured.empty() ? "" : ": " + measured);
  if (!report.how_to_measure_rest.empty()) {
    fmt::print("to know the rest, {}\n", report.how_to_measure_rest);
  }
}

void print_total(const AllocateReport& report) {
  fmt::print("\n{} for {} ({}): {:.4f} bits per weight instead of {:.4f}; {} bytes ({}){}\n",
             report.plan.method, report.plan.runtime, report.plan.architecture,
             report.bits_per_weight(report.size.bytes),
             report.bits_per_weight(report.original_bytes), format_count(report.plan.bytes),
             format_size(report.plan.bytes), report.with_headers ? ", file headers included" : "");
  if (!report.size.how.empty()) fmt::print("{}\n", report.size.how);
  print_error_of_plan(report);
}

void print_alphas(const AllocateReport& report) {
  if (report.alphas.size() == 1 && report.alphas.front().reason.empty()) {
    fmt::print("every term's error counts alike (alpha 1)\n");
    return;
  }
  fmt::print("\nhow much errors count\n");
  TextTable table({"alpha", "why", "tensors", "parameters", "of them"});
  for (const auto& group : report.alphas) {
    table.add({fmt::format("{:.4g}", group.alpha),
               group.reason.empty() ? "the rest" : printable(group.reason),
               format_count(group.tensors), format_count(group.params), printable(group.first)});
  }
  table.print();
}

void print_swan(const AllocateReport& report) {
  if (report.swan_tensors.empty()) return;
  std::vector<std::string> parts;
  for (const auto& [bits, tensors] : report.swan_tensors) {
    parts.push_back(fmt::format("{} bits {}", bits, format_count(tensors)));
  }
  fmt::print("tensors whose composite decides SWAN's bits: {}\n", fmt::join(parts, ", "));
}

Json json_number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json as_json(const AllocateReport& report, const PlannedSize& size) {
  Json json = {{"bytes", size.bytes},
               {"bits_per_weight", report.bits_per_weight(size.bytes)},
               {"error", json_number(size.error)},
               {"tensors_quantized", size.tensors_quantized},
               {"tensors_measured", size.tensors_measured},
               {"measured_share", json_number(size.measured_share())}};
  if (!size.how.empty()) json["how"] = size.how;
  return json;
}

Json as_json(const planning::AlphaGroup& group) {
  return {{"alpha", group.alpha},
          {"reason", group.reason},
          {"tensors", group.tensors},
          {"params", group.params},
          {"first", group.first}};
}

Json as_json(const Group& group) {
  Json bits = Json::object();
  for (const auto& [count, params] : group.params_with_bits) bits[std::to_string(count)] = params;
  return {{"tensors", group.tensors},
          {"quantized", group.quantized},
          {"params", group.params},
          {"bytes", group.bytes},
          {"bits_per_weight", json_number(group.bits_per_weight())},
          {"nrmse", json_number(group.nrmse())},
          {"params_by_bits", std::move(bits)}};
}

}  // namespace

void print_report(const AllocateReport& report, const std::string& written) {
  print_roles(report);
  print_layers(report);
  print_curve(report);
  print_alphas(report);
  print_comparison(report);
  print_total(report);
  print_swan(report);
  if (!report.below_floor.empty()) {
    fmt::print("below the floor, as good as they get: {}\n", fmt::join(report.below_floor, ", "));
  }
  if (!written.empty()) fmt::print("{}\n", printable(written));
}

Json report_as_json(const AllocateReport& report, const std::string& written) {
  Json roles = Json::array();
  for (const auto& [role, group] : by_role(report)) {
    Json row = {{"role", role}};
    row.update(as_json(group));
    roles.push_back(std::move(row));
  }
  Json layers = Json::array();
  for (const auto& [layer, group] : by_layer(report)) {
    Json row = {{"list", layer.list}, {"layer", layer.index}};
    row.update(as_json(group));
    layers.push_back(std::move(row));
  }
  Json curve = Json::array();
  for (const auto& point : report.curve) curve.push_back(as_json(report, point));
  Json compared = Json::object();
  for (const auto& [method, size] : report.compared) compared[method] = as_json(report, size);
  Json swan = Json::object();
  for (const auto& [bits, tensors] : report.swan_tensors) swan[std::to_string(bits)] = tensors;
  Json document = {{"method", report.plan.method},
                   {"runtime", report.plan.runtime},
                   {"architecture", report.plan.architecture},
                   {"plan", written.empty() ? Json(nullptr) : Json(written)},
                   {"bytes", report.plan.bytes},
                   {"with_headers", report.with_headers},
                   {"params", report.params},
                   {"original_bytes", report.original_bytes},
                   {"without_headers", as_json(report, report.size)},
                   {"how_to_measure_rest", report.how_to_measure_rest}};
  if (report.plan.method == "budget") {
    document["lower_bound"] = json_number(report.lower_bound);
    document["gap"] = json_number(gap_of(report));
    document["proven_optimal"] = report.proven_optimal;
  }
  document["roles"] = std::move(roles);
  document["layers"] = std::move(layers);
  document["prior"] = report.plan.prior;
  document["alphas"] = Json::array();
  for (const auto& group : report.alphas) document["alphas"].push_back(as_json(group));
  document["curve"] = std::move(curve);
  document["compared"] = std::move(compared);
  document["swan_tensors"] = std::move(swan);
  document["why_no_swan"] = report.why_no_swan;
  document["sweep"] = nullptr;
  if (report.units_total > 0) {
    document["sweep"] = {{"units_done", report.units_done}, {"units_total", report.units_total}};
  }
  document["below_floor"] = report.below_floor;
  document["notes"] = report.notes;
  return document;
}

}  // namespace moesweep::cli
