#pragma once
// Codes of a few bits as MLX stores them (mlx.core.quantize): the row is one bit stream, code after
// code, least significant bit first, in little-endian 32-bit words. Codes of 3, 5 and 6 bits cross
// the words' borders; 32 codes fill whole words at any width.

#include <cstdint>
#include <span>

namespace moesweep::kernels {

/// bits 1..8, codes below 2^bits, codes.size() a multiple of 32,
/// words.size() == codes.size() * bits / 32.
void pack_codes(std::span<const std::uint8_t> codes, int bits, std::span<std::uint32_t> words);

/// The reverse, of the same sizes.
void unpack_codes(std::span<const std::uint32_t> words, int bits, std::span<std::uint8_t> codes);

}  // namespace moesweep::kernels
