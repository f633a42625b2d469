#include "build.hpp"

namespace moesweep::cli {

std::string build_description() {
  return MOESWEEP_BUILD;
}

}  // namespace moesweep::cli
