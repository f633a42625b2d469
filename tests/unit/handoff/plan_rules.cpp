#include "plan_rules.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include <moesweep/core/base/text.hpp>

namespace moesweep::test {
namespace {

using Json = nlohmann::ordered_json;

// re.match of Python: from the beginning, not necessarily to the end.
Rule anchored_rule(const std::string& pattern, Setting setting) {
  return {pattern, std::regex(pattern), std::move(setting)};
}

bool matches_beginning(const Rule& rule, const std::string& name) {
  return std::regex_search(name, rule.regex, std::regex_constants::match_continuous);
}

void add_target(std::vector<Rule>& rules, const std::string& target, const Setting& setting) {
  if (!target.starts_with("re:"))
    throw std::runtime_error("a target that is no pattern: " + target);
  rules.push_back(anchored_rule(target.substr(3), setting));
}

}  // namespace

MlxRules::MlxRules(const std::string& json) {
  const auto config = Json::parse(json);
  if (config.at("quantization") != config.at("quantization_config")) {
    throw std::runtime_error("quantization and quantization_config differ");
  }
  for (const auto& [key, value] : config.at("quantization").items()) {
    if (value.is_object()) {
      modules_.emplace_back(key, Setting{"affine", value.at("bits"), value.at("group_size")});
    } else if (value.is_boolean()) {
      if (value.get<bool>()) throw std::runtime_error("true says nothing: " + key);
      modules_.emplace_back(key, Setting{});
    }
  }
  const auto& all = config.at("quantization");
  globals = {all.at("mode"), all.at("bits"), all.at("group_size")};
}

Found MlxRules::find(const std::string& module) const {
  Found found{globals, 0};
  for (const auto& [name, setting] : modules_) {
    if (name != module) continue;
    ++found.matches;
    found.setting = setting;
  }
  return found;
}

LlamaCppRules::LlamaCppRules(const std::string& text) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) throw std::runtime_error("no type in " + word);
    auto pattern = word.substr(0, equals);
    std::ranges::transform(pattern, pattern.begin(),
                           [](char c) { return static_cast<char>(std::tolower(c)); });
    rules_.push_back(anchored_rule(pattern, {.quantizer = word.substr(equals + 1)}));
  }
}

Found LlamaCppRules::find(const std::string& tensor) const {
  Found found;
  for (const auto& rule : rules_) {
    if (!std::regex_search(tensor, rule.regex)) continue;
    ++found.matches;
    if (!found.setting) found.setting = rule.setting;
  }
  return found;
}

CompressedTensorsRules::CompressedTensorsRules(const std::string& json) {
  const auto config = Json::parse(json).at("quantization_config");
  format = config.at("format");
  for (const auto& target : config.at("ignore")) add_target(ignore_, target, {});
  for (const auto& [name, group] : config.at("config_groups").items()) {
    const auto& weights = group.at("weights");
    const auto bits = weights.at("num_bits").get<std::int32_t>();
    const bool channel = weights.at("strategy") == "channel";
    if (!weights.at("symmetric").get<bool>() || weights.at("type") != "int") {
      throw std::runtime_error("not symmetric integers: " + name);
    }
    const Setting setting{bits == 4 ? "ct_int4" : "ct_int8", bits,
                          channel ? 0 : weights.at("group_size").get<std::int32_t>()};
    for (const auto& target : group.at("targets")) add_target(targets_, target, setting);
  }
  std::ranges::sort(targets_, {}, &Rule::pattern);
}

Found CompressedTensorsRules::find(const std::string& module) const {
  Found found;
  for (const auto* rules : {&ignore_, &targets_}) {
    for (const auto& rule : *rules) {
      if (!matches_beginning(rule, module)) continue;
      ++found.matches;
      if (!found.setting) found.setting = rule.setting;
    }
  }
  return found;
}

GptqmodelRules::GptqmodelRules(const std::string& json) {
  const auto config = Json::parse(json);
  for (const auto& [key, value] : config.at("dynamic").items()) {
    const bool kept = key.starts_with("-:");
    if (!kept && !key.starts_with("+:")) throw std::runtime_error("neither + nor -: " + key);
    Setting setting;
    if (!kept) {
      const auto bits = value.at("bits").get<std::int32_t>();
      const auto group = value.at("group_size").get<std::int32_t>();
      const std::string symmetric = bits == 4 ? "ct_int4" : "ct_int8";
      setting = {value.at("sym").get<bool>() ? symmetric : "affine", bits, group == -1 ? 0 : group};
    }
    rules_.push_back(anchored_rule(key.substr(2), setting));
  }
}

Found GptqmodelRules::find(const std::string& module) const {
  Found found;
  for (const auto& rule : rules_) {
    if (!matches_beginning(rule, module)) continue;
    ++found.matches;
    if (!found.setting) found.setting = rule.setting;
  }
  return found;
}

ModeloptRules::ModeloptRules(const std::string& python) {
  std::istringstream lines(python);
  const std::regex entry(R"re( *\{"quantizer_name": ("[^"]*"), "(cfg|enable)": (.*)\},)re");
  const std::regex bits(R"("num_bits": (\d+))");
  const std::regex group(R"("block_sizes": \{-1: (\d+))");
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (!std::regex_match(line, parts, entry)) continue;
    Setting setting;
    if (parts[2] == "cfg") {
      const auto cfg = parts[3].str();
      std::smatch number;
      const bool integer = std::regex_search(cfg, number, bits);
      setting.bits = integer ? std::stoi(number[1]) : 4;
      setting.quantizer = !integer ? "nvfp4" : setting.bits == 4 ? "ct_int4" : "ct_int8";
      if (std::regex_search(cfg, number, group)) setting.group_size = std::stoi(number[1]);
    }
    entries_.emplace_back(nlohmann::json::parse(parts[1].str()).get<std::string>(), setting);
  }
  if (entries_.empty() || entries_.front() != std::pair(std::string("*"), Setting{})) {
    throw std::runtime_error("does not begin by keeping all");
  }
}

Found ModeloptRules::find(const std::string& quantizer) const {
  Found found{Setting{}, 0};
  for (std::size_t i = 1; i < entries_.size(); ++i) {
    if (!matches_glob(entries_[i].first, quantizer)) continue;
    ++found.matches;
    found.setting = entries_[i].second;
  }
  return found;
}

}  // namespace moesweep::test
