#include <moesweep/core/records/catalog.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/probes.hpp>
#include <moesweep/core/records/quality.hpp>
#include <moesweep/core/records/quality_decisions.hpp>
#include <moesweep/core/records/quality_relations.hpp>
#include <moesweep/core/records/quantize.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/suppression.hpp>
#include <moesweep/core/records/units.hpp>
#include <moesweep/core/records/verdict.hpp>

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
      &table_info<SampleGroupRow>(),
      &table_info<CellRow>(),
      &table_info<MetricRow>(),
      &table_info<RoleScoreRow>(),
      &table_info<MergedRow>(),
      &table_info<QualityGateRow>(),
      &table_info<CapabilityOverlapRow>(),
      &table_info<QualityCorrelationRow>(),
      &table_info<HeterogeneityRow>(),
      &table_info<LeaveOneOutRow>(),
      &table_info<DivergenceRow>(),
      &table_info<AsymmetryRow>(),
      &table_info<AsymmetryGapRow>(),
      &table_info<BitsRegressionRow>(),
      &table_info<SafetyTestRow>(),
      &table_info<QualityEquivalenceRow>(),
      &table_info<PowerRow>(),
      &table_info<CapabilityRow>(),
      &table_info<AlertThresholdRow>(),
      &table_info<AlertRow>(),
      &table_info<FloorRow>(),
      &table_info<FindingRow>(),
      &table_info<SampleSumRow>(),
      &table_info<GapReplicateRow>(),
      &table_info<QuantizedTensorRow>(),
      &table_info<QuantizedShardRow>(),
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
