#include <moesweep/records/catalog.hpp>
#include <moesweep/records/heads.hpp>
#include <moesweep/records/probes.hpp>
#include <moesweep/records/sensitivity.hpp>
#include <moesweep/records/suppression.hpp>
#include <moesweep/records/units.hpp>
#include <moesweep/records/verdict.hpp>

namespace moesweep::records {

std::span<const TableInfo* const> all_tables() {
  static const std::array tables = {
      &table_info<UnitRow>(),
      &table_info<CheckpointTensorRow>(),
      &table_info<TensorRow>(),
      &table_info<SliceRow>(),
      &table_info<DistortionRow>(),
      &table_info<SampleRow>(),
      &table_info<VariantRow>(),
      &table_info<EvidenceRow>(),
      &table_info<SeedRow>(),
      &table_info<ConfusionRow>(),
      &table_info<PredictionRow>(),
      &table_info<ArtifactRow>(),
      &table_info<EnsembleRow>(),
      &table_info<CascadeRow>(),
      &table_info<VoteRow>(),
      &table_info<SuppressionSettingRow>(),
      &table_info<SuppressedSeedRow>(),
      &table_info<SuppressedPredictionRow>(),
      &table_info<SuppressionPairRow>(),
      &table_info<SuppressionTestRow>(),
      &table_info<ProbeRow>(),
      &table_info<ProbePredictionRow>(),
      &table_info<InversionRow>(),
      &table_info<VerdictRow>(),
      &table_info<FailureRow>(),
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
