#include <moesweep/records/catalog.hpp>
#include <moesweep/records/sensitivity.hpp>
#include <moesweep/records/units.hpp>

namespace moesweep::records {

std::span<const TableInfo* const> all_tables() {
  static const std::array tables = {
      &table_info<UnitRow>(),  &table_info<CheckpointTensorRow>(), &table_info<TensorRow>(),
      &table_info<SliceRow>(), &table_info<DistortionRow>(),       &table_info<FailureRow>(),
  };
  return tables;
}

const TableInfo* find_table(std::string_view name) {
  for (const auto* table : all_tables()) {
    if (table->name == name) return table;
  }
  return nullptr;
}

}  // namespace moesweep::records
