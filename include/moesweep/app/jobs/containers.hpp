#pragma once
// What `quantize --to` can write.

#include <string>
#include <vector>

namespace moesweep::jobs {

/// In the order of help: "mlx".
std::vector<std::string> container_names();

/// "mlx: packed codes, ...; dequantized: ..."
std::string container_help();

}  // namespace moesweep::jobs
