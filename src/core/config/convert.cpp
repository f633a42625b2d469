#include "convert.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/core/base/utf8.hpp>

#include "value_text.hpp"

namespace moesweep::config {
namespace {

std::string node_text(const toml::node& node) {
  if (const auto* text = node.as_string())
    return fmt::format("the text {}", shortened(quoted_toml(text->get())));
  if (const auto* integer = node.as_integer()) return fmt::format("the integer {}", integer->get());
  if (const auto* number = node.as_floating_point())
    return fmt::format("the number {}", number->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  if (node.is_array_of_tables()) return "an array of tables";
  if (node.is_array()) return "a list";
  if (node.is_table()) return "a table";
  return "a date or time";
}

std::string_view element_type_text(ValueType type) {
  if (type == ValueType::integer_list) return "an integer";
  return type == ValueType::number_list ? "a number" : "text";
}

/// Is `symbol` in a class such as "A-Za-z0-9._-"?
bool is_in_class(std::string_view characters, char symbol) {
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const bool is_range = i + 2 < characters.size() && characters[i + 1] == '-';
    if (is_range ? characters[i] <= symbol && symbol <= characters[i + 2]
                 : characters[i] == symbol) {
      return true;
    }
    if (is_range) i += 2;
  }
  return false;
}

/// One option being read: what its errors have in common.
class Conversion {
 public:
  Conversion(const Option& option, const Entry& entry, const std::filesystem::path& base_directory)
      : option_(option), entry_(entry), base_directory_(base_directory) {}

  Value value() const {
    const auto& node = *entry_.node;
    switch (option_.type) {
      case ValueType::boolean:
        if (const auto* given = node.as_boolean()) return given->get();
        break;
      case ValueType::integer:
        if (const auto* given = node.as_integer()) {
          check_range(static_cast<double>(given->get()), fmt::format("{}", given->get()),
                      option_.key);
          return given->get();
        }
        break;
      case ValueType::number:
        if (const auto given = number_in(node, option_.key)) return *given;
        break;
      case ValueType::size:
        if (const auto given = size()) return *given;
        break;
      case ValueType::text:
      case ValueType::path:
        if (const auto* given = node.as_string()) {
          check_text(given->get(), option_.key);
          return option_.type == ValueType::path ? absolute_path(given->get()) : given->get();
        }
        break;
      case ValueType::integer_list:
        if (const auto* given = list()) return integers(*given);
        break;
      case ValueType::number_list:
        if (const auto* given = list()) return numbers(*given);
        break;
      case ValueType::text_list:
        if (const auto* given = list()) return texts(*given);
        break;
    }
    refuse(option_.key, fmt::format("must be {}, not {}", type_text(option_.type), node_text(node)),
           example());
  }

 private:
  [[noreturn]] void refuse(std::string_view what, std::string_view problem,
                           std::string remedy = {}) const {
    throw Error(ExitCode::bad_job, entry_.place, fmt::format("{} {}", what, problem),
                std::move(remedy));
  }

  std::string example() const {
    if (!option_.default_value) return {};
    return fmt::format("for example {} = {}", leaf_of(option_.key),
                       value_text(option_, *option_.default_value));
  }

  void check_range(double given, std::string_view shown, std::string_view what) const {
    const bool too_small = option_.minimum && given < *option_.minimum;
    const bool too_large = option_.maximum && given > *option_.maximum;
    if (!too_small && !too_large) return;
    const auto text = [&](double bound) {
      return option_.type == ValueType::size ? size_text(static_cast<std::int64_t>(bound))
                                             : fmt::format("{}", bound);
    };
    std::string range;
    if (option_.minimum && option_.maximum) {
      range = fmt::format("between {} and {}", text(*option_.minimum), text(*option_.maximum));
    } else {
      range = too_small ? fmt::format("at least {}", text(*option_.minimum))
                        : fmt::format("at most {}", text(*option_.maximum));
    }
    refuse(what, fmt::format("must be {}, not {}", range, shown));
  }

  std::optional<double> number_in(const toml::node& node, std::string_view what) const {
    double given = 0.0;
    if (const auto* number = node.as_floating_point()) {
      given = number->get();
    } else if (const auto* integer = node.as_integer()) {
      given = static_cast<double>(integer->get());
    } else {
      return std::nullopt;
    }
    if (!std::isfinite(given)) refuse(what, fmt::format("must be finite, not {}", given));
    check_range(given, fmt::format("{}", given), what);
    return given + 0.0;  // -0.0 becomes 0.0: equal values have equal fingerprints
  }

  std::optional<std::int64_t> size() const {
    std::optional<std::int64_t> bytes;
    if (const auto* integer = entry_.node->as_integer()) bytes = integer->get();
    if (const auto* text = entry_.node->as_string()) {
      bytes = parse_size(text->get());
      if (!bytes) {
        refuse(option_.key, fmt::format("is not a size: {}", shortened(quoted_toml(text->get()))),
               "write bytes or a text such as \"256MiB\" (B KiB MiB GiB TiB KB MB GB TB)");
      }
    }
    if (!bytes) return std::nullopt;
    if (*bytes < 0) refuse(option_.key, fmt::format("must not be negative, is {}", *bytes));
    check_range(static_cast<double>(*bytes), size_text(*bytes), option_.key);
    return bytes;
  }

  void check_choice(const std::string& given, std::string_view shown, std::string_view what) const {
    const auto& choices = option_.choices;
    if (choices.empty() || std::find(choices.begin(), choices.end(), given) != choices.end())
      return;
    const auto near = nearest_name(given.substr(0, 80), choices);
    const bool is_text = option_.type != ValueType::integer_list;
    const auto* const one_of = choices.size() == 1 ? "" : "one of ";
    refuse(what, fmt::format("must be {}{}, not {}", one_of, fmt::join(choices, ", "), shown),
           near && is_text ? fmt::format("did you mean \"{}\"?", *near) : std::string());
  }

  void check_text(const std::string& given, std::string_view what) const {
    const auto shown = shortened(quoted_toml(given));
    if (given.empty()) refuse(what, "must not be empty");
    if (!is_plain_text(given)) refuse(what, fmt::format("contains a control character: {}", shown));
    check_choice(given, shown, what);
    if (option_.characters.empty()) return;
    const bool allowed = std::all_of(given.begin(), given.end(), [&](char symbol) {
      return is_in_class(option_.characters, symbol);
    });
    if (!allowed) {
      refuse(what,
             fmt::format("may hold only characters of [{}], is {}", option_.characters, shown));
    }
  }

  std::string absolute_path(const std::string& given) const {
    auto path = (base_directory_ / given).string();
    if (!is_plain_text(path)) {
      refuse(option_.key, "leads to a path that is not UTF-8 or has control characters",
             "move the job file or rename the folder");
    }
    return path;
  }

  const toml::array* list() const {
    const auto* given = entry_.node->as_array();
    if (given == nullptr || given->is_array_of_tables()) return nullptr;
    if (given->empty() && !option_.may_be_empty) {
      refuse(option_.key, "must not be empty", example());
    }
    return given;
  }

  [[noreturn]] void refuse_element(const toml::node& node, std::string_view what) const {
    refuse(what,
           fmt::format("must be {}, not {}", element_type_text(option_.type), node_text(node)));
  }

  template <typename List>
  void check_repeats(const List& list) const {
    if (option_.may_repeat) return;
    std::set<typename List::value_type> seen;
    for (const auto& element : list) {
      if (!seen.insert(element).second) refuse(option_.key, fmt::format("holds {} twice", element));
    }
  }

  std::string element_name(std::size_t index) const {
    return fmt::format("{}[{}]", option_.key, index);
  }

  Value integers(const toml::array& given) const {
    IntegerList out;
    for (const auto& node : given) {
      const auto what = element_name(out.size());
      const auto* element = node.as_integer();
      if (element == nullptr) refuse_element(node, what);
      const auto shown = fmt::format("{}", element->get());
      check_range(static_cast<double>(element->get()), shown, what);
      check_choice(shown, shown, what);
      out.push_back(element->get());
    }
    check_repeats(out);
    return out;
  }

  Value numbers(const toml::array& given) const {
    NumberList out;
    for (const auto& node : given) {
      const auto what = element_name(out.size());
      const auto element = number_in(node, what);
      if (!element) refuse_element(node, what);
      out.push_back(*element);
    }
    check_repeats(out);
    return out;
  }

  Value texts(const toml::array& given) const {
    TextList out;
    for (const auto& node : given) {
      const auto what = element_name(out.size());
      const auto* element = node.as_string();
      if (element == nullptr) refuse_element(node, what);
      check_text(element->get(), what);
      out.push_back(element->get());
    }
    check_repeats(out);
    return out;
  }

  const Option& option_;
  const Entry& entry_;
  const std::filesystem::path& base_directory_;
};

}  // namespace

std::string_view type_text(ValueType type) {
  switch (type) {
    case ValueType::boolean:
      return "true or false";
    case ValueType::integer:
      return "an integer";
    case ValueType::number:
      return "a number";
    case ValueType::text:
      return "text";
    case ValueType::integer_list:
      return "a list of integers";
    case ValueType::number_list:
      return "a list of numbers";
    case ValueType::text_list:
      return "a list of texts";
    case ValueType::size:
      return "a size";
    case ValueType::path:
      return "a path";
  }
  bug("unknown value type");
}

Value convert(const Option& option, const Entry& entry,
              const std::filesystem::path& base_directory) {
  return Conversion(option, entry, base_directory).value();
}

}  // namespace moesweep::config
