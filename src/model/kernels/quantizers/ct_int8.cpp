// compressed-tensors INT8, symmetric, any group size.

#include "quantizers/formats.hpp"
#include "quantizers/symmetric_integers.hpp"

namespace moesweep::kernels {

BlockFormat ct_int8_format() {
  return {.name = "ct_int8",
          .bits = 8,
          .scale_in_weight_dtype = true,
          .relative_cost = 32,
          .round_trip = round_trip_symmetric<8>};
}

}  // namespace moesweep::kernels
