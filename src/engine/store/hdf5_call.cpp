#include "hdf5_call.hpp"

namespace moesweep::store {
namespace {

std::mutex& library() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

Hdf5Call::Hdf5Call() : alone_(library()) {}

}  // namespace moesweep::store
