#include "slice_spectrum.hpp"

#include <algorithm>

#include "estimate.hpp"

namespace moesweep::sensitivity {
namespace {

template <typename Gram>
void add_to(Gram& gram, const Block& block, bool column_panels) {
  if (column_panels)
    gram.add_columns(block.values, block.columns);
  else
    gram.add_rows(block.values, block.rows);
}

}  // namespace

SliceSpectrum::SliceSpectrum(const MatrixView& view, const Tiling& tiling, const Options& options)
    : side_(std::min(view.rows, view.columns)),
      column_panels_(tiling.column_panels),
      is_sketched_(sensitivity::is_sketched(view, options)) {
  if (side_ >= kernels::least_fast_side && !is_sketched_)
    fast_.emplace(side_);
  else
    exact_.emplace(side_);
}

void SliceSpectrum::add(const Block& block) {
  if (fast_)
    add_to(*fast_, block, column_panels_);
  else
    add_to(*exact_, block, column_panels_);
}

kernels::SpectrumSummary SliceSpectrum::take_summary(SliceStream& stream, std::int64_t slice,
                                                     PhiloxKey key) {
  if (fast_) {
    if (const auto summary = fast_->take_summary()) return *summary;
    fast_.reset();
    exact_.emplace(side_);
    stream.visit(slice, [this](const Block& block) {
      add(block);
      return true;
    });
  }
  if (!is_sketched_) return kernels::summarize_spectrum(exact_->take_eigenvalues());
  return kernels::summarize_sketch(exact_->take_sketched_eigenvalues(sketch_rank, key));
}

std::int64_t spectrum_peak_bytes(const MatrixView& view, const Tiling& tiling,
                                 const Options& options) {
  const auto side = std::min(view.rows, view.columns);
  return is_sketched(view, options)
             ? kernels::sketch_peak_bytes(side, tiling.block_elements(), sketch_rank)
             : kernels::gram_peak_bytes(side, tiling.block_elements());
}

}  // namespace moesweep::sensitivity
