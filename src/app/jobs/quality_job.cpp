#include "quality_job.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include <fmt/format.h>

#include <moesweep/analysis/quality/measurement.hpp>
#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/analysis/quality/reduce.hpp>
#include <moesweep/analysis/quality/samples.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/engine/store/results.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/engine/store/scan.hpp>

#include "quality_heads.hpp"
#include "quality_options_from.hpp"
#include "shared_values.hpp"

namespace moesweep::jobs {
namespace {

using quality::Block;
using records::CellRow;
using records::SampleSumRow;

constexpr std::int64_t small_unit_bytes = std::int64_t{16} << 20;
constexpr double samples_bytes_per_second = 4e8;  // of one core
constexpr double replicates_per_second = 1e5;
constexpr std::uint64_t hashed_bytes = std::uint64_t{1} << 20;

struct Unit {
  std::string key;
  std::int64_t bytes_read = 0;
  std::int64_t peak_bytes = small_unit_bytes;
  double seconds = 0.0;
  std::function<records::Tables()> compute;
};

/// What the passes start from, and for samples what they were added up to.
struct Input {
  std::vector<CellRow> cells;
  std::vector<SampleSumRow> joined;
};

template <typename Row>
void add(records::Tables& tables, const std::vector<Row>& rows) {
  for (const auto& row : rows) records::append_row(tables, row);
}

/// First and last MiB and the size: what tells two files of samples apart without reading them.
Hash128 hash_of_samples(const std::filesystem::path& path, const FileDescriptor& file,
                        std::uint64_t bytes) {
  Hasher128 hasher;
  hasher.add(std::as_bytes(std::span(&bytes, 1)));
  std::vector<std::byte> part(std::min(bytes, hashed_bytes));
  for (const auto offset : {std::uint64_t{0}, bytes - part.size()}) {
    read_exactly(file, offset, part, path);
    hasher.add(part);
  }
  return hasher.finish();
}

/// The baseline is that of the cells, where they have one.
records::Tables reduced(const records::Tables& rows, quality::Options options) {
  for (const auto& cell : records::rows_of<CellRow>(rows)) {
    if (cell.is_baseline != 0) options.baseline = cell.level;
  }
  return quality::reduce(rows, options);
}

class QualityJob final : public JobKind {
 public:
  explicit QualityJob(const config::Settings& settings)
      : options_(quality_options_from(settings)),
        given_baseline_(options_.baseline),
        replicates_per_unit_(settings.integer("quality.bootstrap.replicates_per_unit")) {
    if (settings.has("quality.matrix")) {
      open_matrix(settings.path("quality.matrix"));
    } else if (settings.has("quality.samples")) {
      open_samples(settings.path("quality.samples"));
    } else {
      open_heads(settings.path("quality.heads_run"));
    }
    cut_passes();
  }

  std::vector<config::InputHash> inputs() const override { return {input_}; }

  std::vector<StageDraft> stages(const Rates& rates) const override {
    std::vector<StageDraft> drafts;
    if (!samples_.empty()) drafts.push_back(draft_of("samples", samples_, rates));
    drafts.push_back(draft_of("quality", passes_, rates));
    return drafts;
  }

  void run_in(const std::filesystem::path& run_directory) override { run_ = {run_directory}; }

  UnitRows run(sweep::UnitIndex index) const override {
    const auto& unit =
        index < samples_.size() ? samples_[index] : passes_.at(index - samples_.size());
    return {unit.compute(), unit.bytes_read};
  }

  records::Tables reduce(records::Tables rows) const override {
    auto options = options_;
    options.baseline = given_baseline_;
    return reduced(rows, std::move(options));
  }

  // All findings are of all samples. What failed a block is said once more, with its exit code.
  void explain(const std::vector<records::FailureRow>& failures) const override {
    for (const auto& failure : failures) {
      const auto unit = std::ranges::find(samples_, failure.key, &Unit::key);
      if (unit == samples_.end()) continue;
      unit->compute();
      return;  // it is well now: the next start does it
    }
    // All passes are made of the same cells: what is wrong with those failed every one of them.
    if (!failures.empty() && !samples_.empty()) input();
  }

 private:
  static StageDraft draft_of(const char* name, const std::vector<Unit>& units, const Rates& rates) {
    StageDraft draft{name, {}};
    for (const auto& unit : units) {
      const double seconds =
          unit.seconds + rates.unit_overhead_seconds +
          static_cast<double>(unit.bytes_read) / rates.read_bytes_per_second_node;
      draft.units.push_back({unit.key, {unit.bytes_read, 0, unit.peak_bytes, seconds}, {}});
    }
    return draft;
  }

  void open_matrix(const std::filesystem::path& path) {
    const auto text = read_text_file(path);
    input_ = {"quality.matrix", hash128(std::as_bytes(std::span(text)))};
    cells_ = quality::normalize(quality::parse_matrix(text, path.string(), options_), options_);
  }

  void open_heads(const std::filesystem::path& path) {
    const store::RunDirectory run{path};
    // Not made again where it is damaged: every rank reads it, and the run is another one.
    auto results = store::read_results(run.results());
    const auto& digest = results.attributes["results_digest"];
    const auto measured = measurements_of_heads(results.tables);
    if (digest.empty() || measured.empty()) {
      throw Error(ExitCode::bad_input, run.results().string(),
                  measured.empty() ? "has no heads" : "is of an unfinished sweep",
                  "give the run directory of a finished sweep of kind heads or pipeline");
    }
    input_ = {"quality.heads_run", hash128(std::as_bytes(std::span(digest)))};
    complete_for_heads(options_);
    if (options_.baseline.empty()) options_.baseline = baseline_of_heads(results.tables);
    cells_ = quality::normalize(measured, options_);
  }

  void open_samples(const std::filesystem::path& path) {
    samples_file_ = path;
    const auto file = open_for_reading(path);
    const auto bytes = file_size(file, path);
    if (bytes == 0) throw Error(ExitCode::bad_input, path.string(), "is empty");
    input_ = {"quality.samples", hash_of_samples(path, file, bytes)};
    const auto blocks = quality::cut_blocks(bytes);
    for (std::size_t i = 0; i < blocks.size(); ++i) add_block(path, blocks[i], i);
    if (options_.capability.empty()) return;
    const auto parts = quality::overlap_parts(bytes);
    for (std::uint64_t part = 0; part < parts; ++part) {
      Unit unit;
      unit.key = fmt::format("overlap/{:06}", part);
      unit.bytes_read = checked_cast<std::int64_t>(bytes);
      unit.peak_bytes = quality::overlap_memory_bytes;
      unit.seconds = static_cast<double>(bytes) / samples_bytes_per_second;
      unit.compute = [this, path, part, parts] {
        records::Tables tables;
        add(tables, quality::overlap(path, {part, parts}, options_));
        return tables;
      };
      samples_.push_back(std::move(unit));
    }
  }

  void add_block(const std::filesystem::path& path, const Block& block, std::size_t number) {
    Unit unit;
    unit.key = fmt::format("samples/{:08}", number);
    unit.bytes_read = checked_cast<std::int64_t>(block.end - block.begin);
    unit.peak_bytes = quality::block_memory_bytes;
    unit.seconds = static_cast<double>(unit.bytes_read) / samples_bytes_per_second;
    unit.compute = [this, path, block] {
      records::Tables tables;
      add(tables, quality::add_up(path, block, options_.coherence_gate));
      return tables;
    };
    block_keys_.insert(unit.key);
    samples_.push_back(std::move(unit));
  }

  void cut_passes() {
    passes_.push_back({"quality/cells", 0, small_unit_bytes, 0.0, [this] { return describe(); }});
    for (const auto pass : quality::whole_passes()) {
      passes_.push_back({fmt::format("quality/{}", pass), 0, small_unit_bytes, 0.0, [this, pass] {
                           const quality::Study study(input()->cells);
                           return quality::run_pass(pass, study, options_);
                         }});
    }
    for (std::int64_t first = 0; first < options_.replicates; first += replicates_per_unit_) {
      const auto count = std::min(replicates_per_unit_, options_.replicates - first);
      Unit unit;
      unit.key = fmt::format("quality/bootstrap/{:08}-{:08}", first, first + count - 1);
      unit.seconds = static_cast<double>(count) / replicates_per_second;
      unit.compute = [this, first, count] {
        records::Tables tables;
        const quality::Study study(input()->cells);
        add(tables,
            quality::gap_replicates(study, quality::counter_resample(options_.seed), first, count));
        return tables;
      };
      passes_.push_back(std::move(unit));
    }
  }

  records::Tables describe() const {
    const auto found = input();
    records::Tables tables;
    add(tables, found->cells);
    add(tables, quality::describe(found->joined));
    add(tables, quality::gates(found->joined, options_));
    return tables;
  }

  std::shared_ptr<const Input> input() const {
    return inputs_.get(0, [this] { return samples_.empty() ? Input{cells_, {}} : read_sums(); });
  }

  // The stage of the passes begins when all blocks are on disk.
  Input read_sums() const {
    const auto scan = store::scan_segments(run_.segments(), store::Rotten::leave_in_place);
    const auto done = std::count_if(scan.units.begin(), scan.units.end(), [&](const auto& unit) {
      return unit.second.row.status == "done" && block_keys_.contains(unit.second.row.key);
    });
    const auto missing = std::ssize(block_keys_) - done;
    if (missing != 0) {
      throw Error(
          ExitCode::bad_input, "quality.samples",
          fmt::format("{} of {} blocks are not added up", missing, block_keys_.size()),
          "mend what failed them; a file that was changed is swept into a new run directory");
    }
    const auto rows = store::gather(run_.segments(), scan);
    Input found;
    found.joined = quality::join(records::rows_of<SampleSumRow>(rows));
    if (found.joined.empty()) {
      throw Error(ExitCode::bad_input, samples_file_.string(), "has no samples",
                  "write one JSON object per line, one for each sample");
    }
    found.cells = quality::normalize(quality::measurements_of(found.joined, options_), options_);
    return found;
  }

  quality::Options options_;
  std::string given_baseline_;  ///< empty: that of the heads
  std::int64_t replicates_per_unit_ = 0;
  config::InputHash input_;
  store::RunDirectory run_;
  std::filesystem::path samples_file_;
  std::vector<CellRow> cells_;  ///< known when the job is opened, but of samples
  std::set<std::string, std::less<>> block_keys_;
  std::vector<Unit> samples_;
  std::vector<Unit> passes_;
  mutable SharedValues<int, Input> inputs_{true};
};

}  // namespace

std::unique_ptr<JobKind> open_quality_job(const config::Settings& settings) {
  return std::make_unique<QualityJob>(settings);
}

records::Tables reduce_quality(const config::Settings& settings, const records::Tables& rows) {
  auto options = quality_options_from(settings);
  if (settings.has("quality.heads_run")) complete_for_heads(options);
  return reduced(rows, std::move(options));
}

records::Tables quality_stage(const config::Settings& settings, const records::Tables& tables) {
  const auto& stages = settings.texts("pipeline.stages");
  if (std::find(stages.begin(), stages.end(), "quality") == stages.end()) return {};
  return quality_of_heads(tables, quality_options_from(settings));
}

}  // namespace moesweep::jobs
