// compressed-tensors INT4, symmetric, any group size.

#include "quantizers/formats.hpp"
#include "quantizers/symmetric_integers.hpp"

namespace moesweep::kernels {

BlockFormat ct_int4_format() {
  return {.name = "ct_int4",
          .bits = 4,
          .scale_in_weight_dtype = true,
          .relative_cost = 32,
          .round_trip = round_trip_symmetric<4>};
}

}  // namespace moesweep::kernels
