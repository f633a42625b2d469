#pragma once

#include <string>

namespace moesweep::store {

struct Hdf5Versions {
  std::string built;   ///< of the headers
  std::string loaded;  ///< of the library in this process
};
Hdf5Versions hdf5_versions();

}  // namespace moesweep::store
