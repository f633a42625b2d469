#include "quantizers.hpp"

#include <iterator>

#include <fmt/format.h>

namespace moesweep::sensitivity {

std::vector<kernels::BlockQuantizer> fitting_block_quantizers(std::int64_t columns,
                                                              const Options& options) {
  std::vector<kernels::BlockQuantizer> fitting;
  if (!options.error) return fitting;
  std::copy_if(options.block_quantizers.begin(), options.block_quantizers.end(),
               std::back_inserter(fitting),
               [&](const auto& quantizer) { return columns % quantizer.block_length == 0; });
  return fitting;
}

std::string refused_block_quantizers(std::int64_t columns, const Options& options) {
  std::string names;
  for (const auto& quantizer : options.block_quantizers) {
    if (!options.error || columns % quantizer.block_length == 0) continue;
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", quantizer.format->name(),
                         quantizer.block_length);
  }
  return names.empty()
             ? names
             : fmt::format("rows of {} weights are no whole blocks of {}", columns, names);
}

}  // namespace moesweep::sensitivity
