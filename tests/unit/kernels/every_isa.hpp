#pragma once
// Runs a check on each instruction set that this machine has.

#include <gtest/gtest.h>

#include <moesweep/model/kernels/isa.hpp>

namespace moesweep::kernels {

template <typename Check>
void on_every_isa(Check check) {
  for (const std::string& isa : available_isas()) {
    SCOPED_TRACE(isa);
    pin_isa(isa);
    check();
  }
  pin_isa("native");
}

}  // namespace moesweep::kernels
