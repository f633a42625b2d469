#pragma once
// How an epoch ended, as lock/ keeps it.

#include <string>

#include <moesweep/engine/store/lock.hpp>

namespace moesweep::store {

std::string encode_end(const EpochEnd& end);

}  // namespace moesweep::store
