// Every tensor of Qwen3.5-397B-A17B, by pattern (tests/data/README.md says where it is from).

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <moesweep/model/names/role.hpp>

namespace moesweep::names {
namespace {

struct InventoryRow {
  std::string pattern;
  std::int64_t count = 0;
  std::vector<std::int64_t> shape;
  std::string role;
};

std::vector<InventoryRow> read_inventory() {
  std::ifstream file(MOESWEEP_TEST_DATA "/qwen35-397b-patterns.csv");
  std::string line;
  std::getline(file, line);  // source
  std::getline(file, line);  // column names
  std::vector<InventoryRow> rows;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    InventoryRow row;
    std::string count;
    std::string shape;
    std::getline(fields, row.pattern, ',');
    std::getline(fields, count, ',');
    std::getline(fields, shape, ',');
    std::getline(fields, row.role);
    row.count = std::stoll(count);
    std::istringstream sides(shape);
    for (std::string side; std::getline(sides, side, 'x');) row.shape.push_back(std::stoll(side));
    rows.push_back(row);
  }
  return rows;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

const std::vector<std::string> default_patterns = {"experts"};

TEST(Qwen35Inventory, HasThePublishedNumbersOfTensorsAndParameters) {
  std::int64_t tensors = 0;
  std::int64_t params = 0;
  for (const auto& row : read_inventory()) {
    std::int64_t product = row.count;
    for (const auto side : row.shape) product *= side;
    tensors += row.count;
    params += product;
  }
  EXPECT_EQ(tensors, 2924);
  EXPECT_EQ(params, 403'397'928'944);
}

TEST(Qwen35Inventory, EveryRowHasItsRoleIndicesAndPattern) {
  for (const auto& row : read_inventory()) {
    SCOPED_TRACE(row.pattern);
    const bool layered = row.pattern.find("{layer}") != std::string::npos;
    const bool per_expert = row.pattern.find("{expert}") != std::string::npos;
    const auto name = replaced(replaced(row.pattern, "{layer}", "17"), "{expert}", "308");
    EXPECT_EQ(role_name(role_of(name, row.shape, default_patterns)), row.role);
    EXPECT_EQ(layer_of(name), layered ? 17 : -1);
    EXPECT_EQ(expert_of(name), per_expert ? 308 : -1);
    EXPECT_EQ(pattern_of(name), row.pattern);
  }
}

TEST(Qwen35Inventory, OnlyTheFusedExpertsAreStacks) {
  std::int64_t stacks = 0;
  for (const auto& row : read_inventory()) {
    if (!is_expert_stack(row.pattern, row.shape, default_patterns)) continue;
    stacks += row.count;
    EXPECT_EQ(row.shape.front(), 512) << row.pattern;
  }
  EXPECT_EQ(stacks, 120);
}

}  // namespace
}  // namespace moesweep::names
