#include "plan_samples.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <sstream>

#include <moesweep/core/base/csv.hpp>
#include <moesweep/core/base/file.hpp>

namespace moesweep::test {
namespace {

using records::PlanRow;

std::vector<std::int64_t> sides_of(const std::string& shape) {
  std::vector<std::int64_t> sides;
  std::istringstream text(shape);
  for (std::string side; std::getline(text, side, 'x');) sides.push_back(std::stoll(side));
  return sides;
}

bool fits(const Setting& setting, std::int64_t columns) {
  return setting.group_size == 0 || columns % setting.group_size == 0;
}

}  // namespace

const names::Architecture qwen35 = {.model_type = "qwen3_5_moe", .layers = 60, .experts = 512};

PlanRow plan_row(std::string tensor, std::string shape, const Setting& setting, std::string dtype) {
  PlanRow row;
  row.tensor = std::move(tensor);
  const auto sides = sides_of(shape);
  row.params = std::accumulate(sides.begin(), sides.end(), std::int64_t{1}, std::multiplies<>());
  row.shape = std::move(shape);
  row.dtype = std::move(dtype);
  row.action = setting.quantizer.empty() ? "keep" : "quantize";
  row.quantizer = setting.quantizer;
  row.bits = setting.quantizer.empty() ? 16 : setting.bits;
  row.group_size = setting.group_size;
  return row;
}

records::Plan plan_of(std::vector<PlanRow> rows) {
  std::ranges::sort(rows, {}, &PlanRow::tensor);
  return {.method = "uniform",
          .runtime = "mlx",
          .architecture = "qwen3_5_moe",
          .source_headers = "0123456789abcdef0123456789abcdef",
          .bytes = 1234,
          .prior = "role",
          .quantizable = {},
          .rows = std::move(rows)};
}

Setting setting_of(const PlanRow& row) {
  if (row.action != "quantize") return {};
  return {row.quantizer, row.bits, row.group_size};
}

records::Plan random_plan(names::Runtime runtime, std::span<const Setting> settings,
                          std::uint64_t seed) {
  const auto text = read_text_file(MOESWEEP_TEST_DATA "/qwen35-397b-inventory.csv");
  CsvRecords inventory(text, "inventory");
  inventory.next();
  std::mt19937_64 random(seed);
  std::map<std::string, Setting> decided;
  std::vector<PlanRow> rows;
  while (const auto record = inventory.next()) {
    const auto& tensor = record->at(0);
    const auto sides = sides_of(record->at(1));
    const auto mapping = names::map_tensor(runtime, qwen35, tensor, sides);
    Setting setting;
    if (mapping.quantizable) {
      const auto drawn = settings[random() % settings.size()];
      const auto tie = names::tied_module(runtime, qwen35, tensor);
      setting = decided.emplace(tie, drawn).first->second;
      if (!fits(setting, sides.back())) setting = {};
    }
    rows.push_back(plan_row(tensor, record->at(1), setting, record->at(2)));
    if (mapping.fate == names::Fate::dropped) rows.back().action = "drop";
  }
  auto plan = plan_of(std::move(rows));
  plan.runtime = names::runtime_name(runtime);
  return plan;
}

}  // namespace moesweep::test
