#pragma once
// One function a file of this folder, and the list that makes them formats.

#include <array>

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

/// In the catalog's order.
inline constexpr std::array block_format_makers = {
    q8_0_format,       q6_k_format,    q5_k_format,      q4_k_format,       q3_k_format,
    q2_k_format,       nvfp4_format,   mxfp4_ocp_format, mxfp4_even_format, mxfp4_rceil_format,
    mxfp4_ggml_format, ct_int4_format, ct_int8_format};

}  // namespace moesweep::kernels
