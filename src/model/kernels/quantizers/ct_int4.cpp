// compressed-tensors INT4, symmetric, groups of an even number of weights.

#include "quantizers/symmetric_integers.hpp"

namespace moesweep::kernels {

BlockFormat ct_int4_format() {
  return {.entry = &formats::format_named("ct_int4"),
          .encode = encode_symmetric<4>,
          .decode = decode_symmetric<4>};
}

}  // namespace moesweep::kernels
