#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/json.hpp>
#include <moesweep/core/base/other_text.hpp>

namespace moesweep {
namespace {

using nlohmann::ordered_json;

/// Text that the library reads: a text of as many bytes in the place of each literal for a number
/// that is not finite.
struct Substituted {
  std::string text;
  std::map<std::size_t, double> numbers;  ///< by the position of its text among all texts and keys
};

struct Literal {
  std::string_view name;
  double value;
};
constexpr std::array literals = {
    Literal{"NaN", std::numeric_limits<double>::quiet_NaN()},
    Literal{"Infinity", std::numeric_limits<double>::infinity()},
    Literal{"-Infinity", -std::numeric_limits<double>::infinity()},
};

/// Bytes of the quoted text at the front, as far as it goes.
std::size_t quoted_length(std::string_view text) {
  std::size_t i = 1;
  while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
  return std::min(i + 1, text.size());
}

// What the replacement breaks (1NaN, NaNs) was no JSON before.
Substituted substitute(std::string_view text) {
  Substituted made{std::string(text), {}};
  std::size_t texts = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto rest = text.substr(i);
    if (rest.front() == '"') {
      ++texts;
      i += quoted_length(rest);
      continue;
    }
    const auto* const literal = std::ranges::find_if(
        literals, [&](const Literal& known) { return rest.starts_with(known.name); });
    if (literal == literals.end()) {
      ++i;
      continue;
    }
    const auto length = literal->name.size();
    made.text.replace(i, length, '"' + std::string(length - 2, '-') + '"');
    made.numbers.emplace(texts++, literal->value);
    i += length;
  }
  return made;
}

Error complaint(const JsonPlace& place, const std::string& problem) {
  return Error(ExitCode::bad_input, place.file, problem, place.remedy);
}

/// "at character 57 (line 3)"; the line only where there are several.
std::string position_of(std::string_view text, std::size_t character) {
  const auto before = text.substr(0, std::min(character, text.size()));
  const auto breaks = std::ranges::count(before, '\n');
  auto position = fmt::format("at character {}", character);
  if (breaks > 0) position += fmt::format(" (line {})", breaks + 1);
  return position;
}

/// What OrderedObject is to ordered_json.
class SortedObject {
 public:
  void set(const std::string& key, nlohmann::json value) {
    members_.insert_or_assign(key, std::move(value));
  }
  nlohmann::json take() && { return nlohmann::json(std::move(members_)); }

 private:
  nlohmann::json::object_t members_;
};

/// Makes the document of the parser's events (the library's SAX interface): stops at what is too
/// deep, and puts numbers where texts stand for them.
template <typename Json, typename Object>
class Builder {
 public:
  Builder(const JsonPlace& place, const std::map<std::size_t, double>& numbers)
      : place_(place), numbers_(numbers) {}

  Json take() { return std::move(document_); }

  bool null() { return put(Json(nullptr)); }
  bool boolean(bool value) { return put(Json(value)); }
  bool number_integer(typename Json::number_integer_t value) { return put(Json(value)); }
  bool number_unsigned(typename Json::number_unsigned_t value) { return put(Json(value)); }
  bool number_float(typename Json::number_float_t value, const std::string& /*text*/) {
    return put(Json(value));
  }
  bool string(std::string& text) {
    const auto number = numbers_.find(texts_++);
    return put(number == numbers_.end() ? Json(std::move(text)) : Json(number->second));
  }
  bool binary(typename Json::binary_t& /*bytes*/) { return false; }
  bool start_object(std::size_t /*elements*/) { return begin(true); }
  bool start_array(std::size_t /*elements*/) { return begin(false); }
  bool key(std::string& text) {
    if (numbers_.contains(texts_++)) {
      throw complaint(place_, "is not valid JSON: a number stands as a key");
    }
    open_.back().key = std::move(text);
    return true;
  }
  bool end_object() { return end(std::move(open_.back().object).take()); }
  bool end_array() { return end(Json(std::move(open_.back().array))); }
  template <typename Exception>
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const Exception& error) {
    throw error;
  }

 private:
  /// An object or an array that goes on.
  struct Open {
    bool is_object;
    Object object;
    typename Json::array_t array;
    std::string key;
  };

  bool begin(bool is_object) {
    if (open_.size() >= deepest_json) {
      throw complaint(place_, fmt::format("is JSON that is nested deeper than {}", deepest_json));
    }
    open_.push_back({is_object, {}, {}, {}});
    return true;
  }
  bool end(Json whole) {
    open_.pop_back();
    return put(std::move(whole));
  }
  bool put(Json value) {
    if (open_.empty()) {
      document_ = std::move(value);
    } else if (open_.back().is_object) {
      open_.back().object.set(open_.back().key, std::move(value));
    } else {
      open_.back().array.push_back(std::move(value));
    }
    return true;
  }

  const JsonPlace& place_;
  const std::map<std::size_t, double>& numbers_;
  std::size_t texts_ = 0;
  std::vector<Open> open_;
  Json document_;
};

template <typename Json, typename Object>
Json parse(std::string_view text, const JsonPlace& place, JsonNumbers numbers) {
  // The library takes NUL for the end of its input and would not see what follows it.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    throw complaint(place, fmt::format("has a NUL byte at character {} of its JSON", nul + 1));
  }
  Substituted substituted;
  if (numbers == JsonNumbers::python) {
    substituted = substitute(text);
    text = substituted.text;
  }
  Builder<Json, Object> builder(place, substituted.numbers);
  try {
    Json::sax_parse(text, &builder);
    return builder.take();
  } catch (const nlohmann::json::parse_error& error) {
    if (const auto* other = other_text(text)) {
      throw Error(ExitCode::bad_input, place.file, other->what, other->remedy);
    }
    // Its own text repeats the last token, which can be the whole file.
    throw complaint(place, "is not valid JSON " + position_of(text, error.byte));
  } catch (const nlohmann::json::exception&) {
    throw complaint(place, "is not valid JSON: it has a number beyond the range of doubles");
  }
}

void append_value(std::string& out, const ordered_json& value, int indent, int level);

/// What `append` writes of each element, one a line.
template <typename Elements, typename Append>
void append_lines(std::string& out, const Elements& elements, char open, char close, int indent,
                  int level, Append append) {
  out += open;
  const char* separator = "\n";
  for (const auto& element : elements) {
    out += separator;
    out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(level + 1), ' ');
    append(element);
    separator = ",\n";
  }
  if (!elements.empty()) {
    out += '\n';
    out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(level), ' ');
  }
  out += close;
}

void append_value(std::string& out, const ordered_json& value, int indent, int level) {
  if (value.is_object()) {
    append_lines(out, value.get_ref<const ordered_json::object_t&>(), '{', '}', indent, level,
                 [&](const auto& member) {
                   out += ordered_json(member.first).dump() + ": ";
                   append_value(out, member.second, indent, level + 1);
                 });
  } else if (value.is_array()) {
    append_lines(out, value.get_ref<const ordered_json::array_t&>(), '[', ']', indent, level,
                 [&](const auto& element) { append_value(out, element, indent, level + 1); });
  } else if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    const auto number = value.get<double>();
    out += std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
  } else {
    out += value.dump();
  }
}

}  // namespace

void OrderedObject::set(const std::string& key, nlohmann::ordered_json value) {
  const auto [place, is_new] = places_.try_emplace(key, members_.size());
  if (is_new) {
    members_.emplace_back(key, std::move(value));
  } else {
    std::next(members_.begin(), checked_cast<std::ptrdiff_t>(place->second))->second =
        std::move(value);
  }
}

nlohmann::ordered_json OrderedObject::take() && {
  places_.clear();
  return nlohmann::ordered_json(std::move(members_));
}

nlohmann::json parse_json(std::string_view text, const JsonPlace& place, JsonNumbers numbers) {
  return parse<nlohmann::json, SortedObject>(text, place, numbers);
}

nlohmann::ordered_json parse_ordered_json(std::string_view text, const JsonPlace& place,
                                          JsonNumbers numbers) {
  return parse<ordered_json, OrderedObject>(text, place, numbers);
}

std::string python_json_text(const nlohmann::ordered_json& document, int indent) {
  std::string out;
  append_value(out, document, indent, 0);
  return out;
}

}  // namespace moesweep
