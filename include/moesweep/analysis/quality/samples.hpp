#pragma once
// JSON Lines samples: one object a line, one line a sample,
//   {"model": .., "level": .., "task": .., "metric": .., "score": .., "tokens": .., "coherence":
//   ..,
//    "sample": ..}
// model, level, metric and score are required; score is a number, true, false or null (missing);
// sample is a text or an integer that names the sample in every level. Other keys are passed over,
// and so is a byte order mark. Error(bad_input) with file and line for anything else (NaN, nan and
// none are not JSON), a key that stands twice, and a line beyond 16 MiB. The same sample twice, of
// equal model, level, task and metric, is an error with both lines: it would count twice in every
// interval. It is looked for within a block, and among all samples of capability metrics; between
// the blocks of other metrics it is not: the names of all samples of a file do not fit in bounded
// memory, and reading it once for every part that does would take longer than the sums.
//
// A file is cut into blocks at fixed offsets; a line belongs to the block in which it begins. Sums
// are kept in double-double within a block and joined in the order of the blocks, so that no result
// depends on who read which block. Memory: one buffer and the groups of a block.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <moesweep/analysis/quality/measurement.hpp>
#include <moesweep/analysis/quality/options.hpp>
#include <moesweep/core/records/quality.hpp>

namespace moesweep::quality {

/// Bytes begin .. end - 1 of the file.
struct Block {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

inline constexpr std::uint64_t block_bytes = std::uint64_t{16} << 20;
/// Bytes of buffers and groups while a block is added up.
inline constexpr std::int64_t block_memory_bytes = std::int64_t{64} << 20;

std::vector<Block> cut_blocks(std::uint64_t file_bytes);

/// One row a model, level, task and metric, in the order in which they first occur.
std::vector<records::SampleSumRow> add_up(const std::filesystem::path& file, const Block& block,
                                          double coherence_gate);

/// Sums of the same group joined, in the order of the rows; groups in the order of their names.
std::vector<records::SampleSumRow> join(std::vector<records::SampleSumRow> rows);

std::vector<records::SampleGroupRow> describe(const std::vector<records::SampleSumRow>& joined);
/// Safety metrics with coherence, tasks together.
std::vector<records::QualityGateRow> gates(const std::vector<records::SampleSumRow>& joined,
                                           const Options& options);
/// Tasks together.
std::vector<Measurement> measurements_of(const std::vector<records::SampleSumRow>& joined,
                                         const Options& options);

/// Which samples baseline and levels solve (score >= 1/2), of capability metrics. The samples whose
/// name hashes to `part` of `parts`: each part reads the whole file and holds its samples, at most
/// overlap_samples of them, else Error(bad_input). The same sample twice in a level is
/// Error(bad_input).
struct Part {
  std::uint64_t part = 0;
  std::uint64_t parts = 1;
};
inline constexpr std::int64_t overlap_samples = std::int64_t{1} << 22;
inline constexpr std::int64_t overlap_memory_bytes = std::int64_t{512} << 20;
std::uint64_t overlap_parts(std::uint64_t file_bytes);
std::vector<records::CapabilityOverlapRow> overlap(const std::filesystem::path& file, Part part,
                                                   const Options& options);
/// Rows of all parts joined, with overlap and p.
std::vector<records::CapabilityOverlapRow> join_overlap(
    const std::vector<records::CapabilityOverlapRow>& rows);

}  // namespace moesweep::quality
