#include <algorithm>
#include <cmath>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>

namespace moesweep::sensitivity {
namespace {

// NaN (not measured) stays NaN.
double clip(double value) {
  return std::clamp(value, 0.0, 1.0);
}

}  // namespace

double score_svd(double spectral_concentration) {
  return clip((spectral_concentration - 0.1) / 0.8);
}

double score_kurtosis(double excess_kurtosis) {
  return clip(excess_kurtosis / 10.0);
}

double score_noise(double noise_amplification) {
  if (noise_amplification < 1e-6) return 0.0;
  // Not std::max(delta, 0.01): it would turn NaN into a score.
  const double floored = noise_amplification < 0.01 ? 0.01 : noise_amplification;
  return clip((std::log10(floored) + 2.0) / 3.0);
}

double score_error(double nrmse_rtn_4bit_g128) {
  return clip((nrmse_rtn_4bit_g128 - 0.005) / 0.045);
}

}  // namespace moesweep::sensitivity
