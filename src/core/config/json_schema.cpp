#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/config/settings.hpp>

#include "option_index.hpp"
#include "value_text.hpp"

namespace moesweep::config {
namespace {

using Json = nlohmann::ordered_json;

Json number_json(double value) {
  const bool is_whole = std::floor(value) == value && std::abs(value) < 0x1p53;
  return is_whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

void add_range(Json& schema, const Option& option) {
  if (option.minimum) schema["minimum"] = number_json(*option.minimum);
  if (option.maximum) schema["maximum"] = number_json(*option.maximum);
}

Json text_schema(const Option& option) {
  Json schema = {{"type", "string"}, {"minLength", 1}};
  if (!option.characters.empty()) schema["pattern"] = "^[" + option.characters + "]+$";
  if (!option.choices.empty()) schema["enum"] = option.choices;
  return schema;
}

Json integer_schema(const Option& option) {
  Json schema = {{"type", "integer"}};
  add_range(schema, option);
  for (const auto& choice : option.choices) schema["enum"].push_back(std::stoll(choice));
  return schema;
}

Json number_schema(const Option& option) {
  Json schema = {{"type", "number"}};
  add_range(schema, option);
  return schema;
}

Json size_schema(const Option& option) {
  Json bytes = {{"type", "integer"}, {"minimum", 0}};
  add_range(bytes, option);
  const Json text = {{"type", "string"}, {"pattern", "^[0-9]+ *(B|KiB|MiB|GiB|TiB|KB|MB|GB|TB)?$"}};
  return {{"oneOf", Json::array({bytes, text})}};
}

Json list_schema(const Option& option, Json element) {
  Json schema = {{"type", "array"}, {"items", std::move(element)}};
  if (!option.may_be_empty) schema["minItems"] = 1;
  if (!option.may_repeat) schema["uniqueItems"] = true;
  return schema;
}

Json type_schema(const Option& option) {
  switch (option.type) {
    case ValueType::boolean:
      return {{"type", "boolean"}};
    case ValueType::integer:
      return integer_schema(option);
    case ValueType::number:
      return number_schema(option);
    case ValueType::text:
    case ValueType::path:
      return text_schema(option);
    case ValueType::integer_list:
      return list_schema(option, integer_schema(option));
    case ValueType::number_list:
      return list_schema(option, number_schema(option));
    case ValueType::text_list:
      return list_schema(option, text_schema(option));
    case ValueType::size:
      return size_schema(option);
  }
  bug("unknown value type");
}

Json default_json(const Option& option) {
  if (option.type == ValueType::size) {
    const auto text = size_text(std::get<std::int64_t>(*option.default_value));
    return Json::parse(text);  // a quoted text or plain digits: both are JSON as they are TOML
  }
  return std::visit([](const auto& value) { return Json(value); }, *option.default_value);
}

Json option_schema(const Option& option) {
  Json schema = {{"description", option.help}};
  schema.update(type_schema(option));
  if (option.default_value) schema["default"] = default_json(option);
  return schema;
}

Json empty_object() {
  return {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
}

void require(Json& object, std::string_view name) {
  auto& required = object["required"];
  if (std::find(required.begin(), required.end(), name) == required.end()) required.push_back(name);
}

/// A required key of some kinds is required by the schema only when there is no other kind.
bool is_required_by_all(const Option& option, const Option* kind) {
  if (option.default_value || option.may_be_absent) return false;
  return kind == nullptr ||
         std::all_of(kind->choices.begin(), kind->choices.end(),
                     [&](const auto& choice) { return knows_kind(option, choice); });
}

void insert(Json& root, const Option& option, bool required) {
  Json* object = &root;
  std::string_view rest = option.key;
  for (auto dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    const std::string table(rest.substr(0, dot));
    if (required) require(*object, table);
    auto& properties = (*object)["properties"];
    if (!properties.contains(table)) properties[table] = empty_object();
    object = &properties[table];
    rest.remove_prefix(dot + 1);
  }
  if (required) require(*object, rest);
  (*object)["properties"][std::string(rest)] = option_schema(option);
}

}  // namespace

std::string json_schema(std::span<const Option> options, std::string_view title) {
  Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  root.update(empty_object());
  const auto* kind = OptionIndex(options).find("kind");
  for (const auto& option : options) insert(root, option, is_required_by_all(option, kind));
  return root.dump(2) + "\n";
}

}  // namespace moesweep::config
