// Our own file of a plan: JSON, one row a line.

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/dtype.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/json.hpp>
#include <moesweep/core/base/utf8.hpp>
#include <moesweep/plans/plan/plan_file.hpp>

namespace moesweep::plan {
namespace {

using Json = nlohmann::ordered_json;
using records::Plan;
using records::PlanRow;

constexpr int schema = 2;
constexpr int schema_without_alpha = 1;  // of 0.2

std::string clean(const std::string& text) {
  std::string scratch;
  return std::string(clean_text(text, scratch));
}

Json json_of(const std::string& value) {
  return clean(value);
}
Json json_of(std::int32_t value) {
  return value;
}
Json json_of(std::int64_t value) {
  return value;
}
Json json_of(double value) {
  return value;  // null when it is not finite
}

/// Nothing where it exceeds 63 bits.
std::optional<std::int64_t> product_of(const std::vector<std::int64_t>& shape) {
  std::uint64_t product = 1;
  for (const auto side : shape) {
    const auto next = checked_product(product, checked_cast<std::uint64_t>(side));
    if (!next || !std::in_range<std::int64_t>(*next)) return std::nullopt;
    product = *next;
  }
  return checked_cast<std::int64_t>(product);
}

constexpr auto remedy = "give a plan as `moesweep allocate` writes it";

class PlanReader {
 public:
  explicit PlanReader(const std::string& file) : file_(file) {}

  Error complaint(const std::string& place, const std::string& problem) const {
    return Error(ExitCode::bad_input, file_ + (place.empty() ? "" : ": " + place), problem, remedy);
  }

  const Json& member(const Json& object, const std::string& place, const char* key) const {
    if (!object.is_object()) throw complaint(place, "is not an object");
    const auto found = object.find(key);
    if (found == object.end()) throw complaint(place, fmt::format("has no {}", key));
    return *found;
  }

  void read(const Json& value, const std::string& place, std::string& out) const {
    if (!value.is_string()) throw complaint(place, "is not a text");
    out = value.get<std::string>();
    if (has_control_characters(out)) throw complaint(place, "has control characters");
  }
  void read(const Json& value, const std::string& place, std::int64_t& out) const {
    const bool fits =
        value.is_number_integer() &&
        (!value.is_number_unsigned() ||
         value.get<std::uint64_t>() <= std::uint64_t(std::numeric_limits<std::int64_t>::max()));
    if (!fits || value.get<std::int64_t>() < 0) throw complaint(place, "is not a count");
    out = value.get<std::int64_t>();
  }
  void read(const Json& value, const std::string& place, std::int32_t& out) const {
    std::int64_t wide = 0;
    read(value, place, wide);
    if (wide > std::numeric_limits<std::int32_t>::max()) throw complaint(place, "is too large");
    out = static_cast<std::int32_t>(wide);
  }
  void read(const Json& value, const std::string& place, double& out) const {
    if (value.is_null()) {
      out = std::numeric_limits<double>::quiet_NaN();
    } else if (value.is_number()) {
      out = value.get<double>();
    } else {
      throw complaint(place, "is not a number");
    }
  }

  PlanRow row(const Json& object, const std::string& place, bool has_alpha) const {
    PlanRow row;
    const auto read_column = [&](const auto& column) {
      const std::string_view name = column.name;
      if (!has_alpha && (name == "term" || name == "alpha")) return;
      read(member(object, place, column.name), fmt::format("{}.{}", place, name),
           row.*column.member);
    };
    std::apply([&](const auto&... columns) { (read_column(columns), ...); },
               records::TableOf<PlanRow>::columns);
    check(row, place);
    return row;
  }

  std::vector<std::int64_t> shape_at(const PlanRow& row, const std::string& place) const {
    try {
      return shape_of(row);
    } catch (const Error& error) {
      throw complaint(place + ".shape", error.where() + " " + error.problem());
    }
  }

  void check(const PlanRow& row, const std::string& place) const {
    const bool quantize = row.action == "quantize";
    if (!quantize && row.action != "keep" && row.action != "drop") {
      throw complaint(place + ".action", "is none of quantize, keep and drop");
    }
    if (quantize == row.quantizer.empty()) {
      throw complaint(place + ".quantizer", "goes with the action quantize, and with no other");
    }
    if (quantize && row.bits == 0) throw complaint(place + ".bits", "is missing");
    if (row.tensor.empty()) throw complaint(place + ".tensor", "is empty");
    const auto shape = shape_at(row, place);
    if (quantize && shape.size() < 2) {
      throw complaint(place + ".shape", "is not that of a matrix, and yet it is quantized");
    }
    if (product_of(shape) != row.params) {
      throw complaint(place + ".params", "is not the product of its shape");
    }
    if (!parse_dtype(row.dtype)) throw complaint(place + ".dtype", "is not a dtype");
  }

 private:
  const std::string& file_;
};

}  // namespace

std::string plan_json(const Plan& plan) {
  Json head = {{"schema", schema},
               {"method", clean(plan.method)},
               {"runtime", clean(plan.runtime)},
               {"architecture", clean(plan.architecture)},
               {"source_headers", clean(plan.source_headers)},
               {"prior", clean(plan.prior)},
               {"bytes", plan.bytes}};
  if (!plan.quantizable.empty()) {
    for (const auto& glob : plan.quantizable) head["quantizable"].push_back(clean(glob));
  }
  auto text = head.dump(1);
  text.erase(text.size() - 2);  // the closing brace, for the rows to follow
  text += ",\n \"rows\": [";
  const char* separator = "\n  ";
  for (const auto& row : plan.rows) {
    Json object = Json::object();
    std::apply(
        [&](const auto&... columns) {
          ((object[columns.name] = json_of(row.*columns.member)), ...);
        },
        records::TableOf<PlanRow>::columns);
    text += separator + object.dump();
    separator = ",\n  ";
  }
  return text + "\n ]\n}\n";
}

Plan parse_plan(std::string_view text, const std::string& file) {
  const PlanReader reader(file);
  const auto document = parse_ordered_json(text, {file, remedy});
  const auto& version = reader.member(document, {}, "schema");
  const bool has_alpha = version == schema;
  if (!has_alpha && version != schema_without_alpha) {
    throw reader.complaint("schema",
                           fmt::format("is neither {} nor {}", schema, schema_without_alpha));
  }
  Plan plan;
  reader.read(reader.member(document, {}, "method"), "method", plan.method);
  reader.read(reader.member(document, {}, "runtime"), "runtime", plan.runtime);
  reader.read(reader.member(document, {}, "architecture"), "architecture", plan.architecture);
  reader.read(reader.member(document, {}, "source_headers"), "source_headers", plan.source_headers);
  reader.read(reader.member(document, {}, "bytes"), "bytes", plan.bytes);
  if (has_alpha) reader.read(reader.member(document, {}, "prior"), "prior", plan.prior);
  if (const auto found = document.find("quantizable"); found != document.end()) {
    if (!found->is_array()) throw reader.complaint("quantizable", "is not a list");
    for (const auto& glob : *found)
      reader.read(glob, "quantizable", plan.quantizable.emplace_back());
  }
  const auto& rows = reader.member(document, {}, "rows");
  if (!rows.is_array()) throw reader.complaint("rows", "is not a list");
  plan.rows.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto place = fmt::format("rows[{}]", i);
    plan.rows.push_back(reader.row(rows[i], place, has_alpha));
    if (i > 0 && plan.rows[i - 1].tensor >= plan.rows[i].tensor) {
      throw reader.complaint(place + ".tensor", "does not follow the one before in order of names");
    }
  }
  return plan;
}

Plan read_plan(const std::filesystem::path& file) {
  return parse_plan(read_text_file(file, largest_plan_file), file.string());
}

}  // namespace moesweep::plan
