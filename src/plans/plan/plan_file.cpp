// Our own file of a plan: JSON, one row a line.

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/dtype.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/json.hpp>
#include <moesweep/core/base/utf8.hpp>
#include <moesweep/model/source/family.hpp>
#include <moesweep/plans/plan/plan_file.hpp>

namespace moesweep::plan {
namespace {

using Json = nlohmann::ordered_json;
using records::Plan;
using records::PlanRow;

constexpr int schema = 3;
constexpr int schema_of_rows_alone = 2;  // without what reading them back needs
constexpr int schema_without_alpha = 1;  // of 0.2

std::string clean(const std::string& text) {
  std::string scratch;
  return std::string(clean_text(text, scratch));
}

/// Of texts that may hold anything: no name in a checkpoint has control characters.
std::string shown(const std::string& text) {
  return printable(clean(text));
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
Json list_of(const std::vector<std::string>& values) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(shown(value));
  return list;
}

Json head_of(const Plan& plan) {
  Json head = {{"schema", schema},
               {"method", clean(plan.method)},
               {"runtime", clean(plan.runtime)},
               {"architecture", clean(plan.architecture)},
               {"source_headers", clean(plan.source_headers)},
               {"prior", clean(plan.prior)},
               {"bytes", plan.bytes},
               {"layers", plan.layers},
               {"experts", plan.experts},
               {"tied_embeddings", plan.tied_embeddings ? Json(*plan.tied_embeddings) : Json()},
               {"expert_patterns", plan.expert_patterns ? list_of(*plan.expert_patterns) : Json()},
               {"source",
                {{"name", shown(plan.source.name)},
                 {"model_type", shown(plan.source.model_type)},
                 {"params", plan.source.params},
                 {"bytes", plan.source.bytes}}},
               {"made",
                {{"command", shown(plan.made.command)},
                 {"version", shown(plan.made.version)},
                 {"date", shown(plan.made.date)}}}};
  if (!plan.quantizable.empty()) head["quantizable"] = list_of(plan.quantizable);
  return head;
}

std::string text_without_making(Plan plan) {
  plan.made = {};
  return plan_json(plan);
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

  void read(const Json& value, const std::string& place, std::optional<bool>& out) const {
    if (!value.is_null() && !value.is_boolean()) {
      throw complaint(place, "is none of true, false and null");
    }
    out = value.is_null() ? std::nullopt : std::optional(value.get<bool>());
  }
  void read(const Json& value, const std::string& place, std::vector<std::string>& out) const {
    if (!value.is_array()) throw complaint(place, "is not a list");
    if (value.size() > most_patterns) {
      throw complaint(place,
                      fmt::format("has {} patterns, more than {}", value.size(), most_patterns));
    }
    for (const auto& text : value) read(text, place, out.emplace_back());
  }

  void read(const Json& value, const std::string& place,
            std::optional<std::vector<std::string>>& out) const {
    if (!value.is_null()) read(value, place, out.emplace());
  }

  /// A member of the document, or of an object in it.
  void read_member(const Json& object, const std::string& parent, const char* key,
                   auto& out) const {
    const auto place = parent.empty() ? std::string(key) : fmt::format("{}.{}", parent, key);
    read(member(object, parent, key), place, out);
  }

  void read_count(const Json& document, const char* key, std::int64_t& out) const {
    read_member(document, {}, key, out);
    if (out > source::most_layers_or_experts) throw complaint(key, "is too large");
  }

  /// What reading the rows back needs.
  void read_origin(const Json& document, Plan& plan) const {
    read_count(document, "layers", plan.layers);
    read_count(document, "experts", plan.experts);
    read_member(document, {}, "tied_embeddings", plan.tied_embeddings);
    read_member(document, {}, "expert_patterns", plan.expert_patterns);
    const auto& source = member(document, {}, "source");
    read_member(source, "source", "name", plan.source.name);
    read_member(source, "source", "model_type", plan.source.model_type);
    read_member(source, "source", "params", plan.source.params);
    read_member(source, "source", "bytes", plan.source.bytes);
    const auto& made = member(document, {}, "made");
    read_member(made, "made", "command", plan.made.command);
    read_member(made, "made", "version", plan.made.version);
    read_member(made, "made", "date", plan.made.date);
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
  auto text = head_of(plan).dump(1);
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

bool is_same_plan(const Plan& a, const Plan& b) {
  return text_without_making(a) == text_without_making(b);
}

Hash128 hash_of(const Plan& plan) {
  const auto text = text_without_making(plan);
  return hash128(std::as_bytes(std::span(text)));
}

Plan parse_plan(std::string_view text, const std::string& file) {
  const PlanReader reader(file);
  const auto document = parse_ordered_json(text, {file, remedy});
  const auto& version = reader.member(document, {}, "schema");
  const bool is_current = version == schema;
  const bool has_alpha = is_current || version == schema_of_rows_alone;
  if (!has_alpha && version != schema_without_alpha) {
    throw reader.complaint("schema", fmt::format("is none of {}, {} and {}", schema,
                                                 schema_of_rows_alone, schema_without_alpha));
  }
  Plan plan;
  reader.read_member(document, {}, "method", plan.method);
  reader.read_member(document, {}, "runtime", plan.runtime);
  reader.read_member(document, {}, "architecture", plan.architecture);
  reader.read_member(document, {}, "source_headers", plan.source_headers);
  reader.read_member(document, {}, "bytes", plan.bytes);
  if (has_alpha) reader.read_member(document, {}, "prior", plan.prior);
  if (is_current) reader.read_origin(document, plan);
  if (document.contains("quantizable")) {
    reader.read_member(document, {}, "quantizable", plan.quantizable);
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
