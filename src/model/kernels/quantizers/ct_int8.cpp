// compressed-tensors INT8, symmetric, any group size.

#include "quantizers/symmetric_integers.hpp"

namespace moesweep::kernels {

BlockFormat ct_int8_format() {
  return {.entry = &formats::format_named("ct_int8"),
          .encode = encode_symmetric<8>,
          .decode = decode_symmetric<8>};
}

}  // namespace moesweep::kernels
