#include <fmt/format.h>

#include <moesweep/core/records/suppression.hpp>

namespace moesweep::records {

std::string setting_text(const std::string& mode, double parameter) {
  return mode == "soft_mask" ? mode : fmt::format("{} {:g}", mode, parameter);
}

}  // namespace moesweep::records
