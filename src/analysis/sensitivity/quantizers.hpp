#pragma once
// The quantizers that one measurement evaluates.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>

namespace moesweep::sensitivity {

/// The quantizer behind `nrmse_rtn_4bit_g128` and the error score.
inline constexpr kernels::Quantizer reference_quantizer = {
    .family = kernels::QuantizerFamily::rtn, .bits = 4, .group_size = 128};

/// Place of `quantizer` in options.quantizers.
inline std::optional<std::size_t> listed_at(const kernels::Quantizer& quantizer,
                                            const Options& options) {
  const auto& listed = options.quantizers;
  const auto found = std::find(listed.begin(), listed.end(), quantizer);
  if (found == listed.end()) return std::nullopt;
  return static_cast<std::size_t>(found - listed.begin());
}

/// Those of the options in their order, and the reference quantizer last when it is not among
/// them. None when `error` is not measured.
inline std::vector<kernels::Quantizer> measured_quantizers(const Options& options) {
  if (!options.error) return {};
  auto measured = options.quantizers;
  if (!listed_at(reference_quantizer, options)) measured.push_back(reference_quantizer);
  return measured;
}

/// Block formats that rows of `columns` weights are whole blocks of. None when `error` is not
/// measured.
std::vector<kernels::BlockQuantizer> fitting_block_quantizers(std::int64_t columns,
                                                              const Options& options);

/// Names the others, empty when there are none.
std::string refused_block_quantizers(std::int64_t columns, const Options& options);

}  // namespace moesweep::sensitivity
