#pragma once
// The spectrum of one slice: fast where that is accurate, exact where it is not.

#include <functional>
#include <optional>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/base/philox.hpp>
#include <moesweep/model/kernels/fast_spectrum.hpp>
#include <moesweep/model/kernels/spectrum.hpp>

#include "stream.hpp"
#include "tiling.hpp"

namespace moesweep::sensitivity {

class SliceSpectrum {
 public:
  SliceSpectrum(const MatrixView& view, const Tiling& tiling, const Options& options);

  /// Every block of the slice, in order.
  void add(const Block& block);

  /// Visits the slice again when a binary32 Gram matrix proves not accurate enough. `key` is that
  /// of the sketch, where one takes the place of the spectrum.
  kernels::SpectrumSummary take_summary(SliceStream& stream, std::int64_t slice, PhiloxKey key);

 private:
  std::int64_t side_;
  bool column_panels_;
  bool is_sketched_;
  std::optional<kernels::FastGram> fast_;
  std::optional<kernels::GramAccumulator> exact_;
};

/// Bytes that a SliceSpectrum holds at its peak.
std::int64_t spectrum_peak_bytes(const MatrixView& view, const Tiling& tiling,
                                 const Options& options);

}  // namespace moesweep::sensitivity
