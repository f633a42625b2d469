#pragma once

#include <string_view>

namespace moesweep::launch {

/// slurm/sweep.sbatch.in, with places to fill written as {{place}}.
extern const std::string_view sbatch_template;

}  // namespace moesweep::launch
