#pragma once
// One function a file of this folder: the formats that the registry lists.

#include <moesweep/model/kernels/quantizer_registry.hpp>

namespace moesweep::kernels {

BlockFormat q8_0_format();
BlockFormat q6_k_format();
BlockFormat q5_k_format();
BlockFormat q4_k_format();
BlockFormat q3_k_format();
BlockFormat q2_k_format();
BlockFormat nvfp4_format();
BlockFormat mxfp4_ocp_format();
BlockFormat mxfp4_even_format();
BlockFormat mxfp4_rceil_format();
BlockFormat mxfp4_ggml_format();
BlockFormat ct_int4_format();
BlockFormat ct_int8_format();

}  // namespace moesweep::kernels
