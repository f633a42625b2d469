#include <algorithm>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/encode.hpp>
#include <moesweep/model/kernels/pack.hpp>
#include <moesweep/model/kernels/quantize_rows.hpp>
#include <moesweep/model/kernels/row_codec.hpp>

namespace moesweep::kernels {
namespace {

std::size_t size(std::int64_t count) {
  return checked_cast<std::size_t>(count);
}

std::int64_t rows_in(std::size_t weights, std::int64_t columns) {
  expect(columns >= 1 && weights % size(columns) == 0, "not a whole number of rows");
  return checked_cast<std::int64_t>(weights) / columns;
}

/// Of scales and biases as they are stored.
Dtype parameter_dtype(const Quantizer& quantizer, Dtype weight_dtype) {
  return quantizer.family == QuantizerFamily::affine ? formats::scale_dtype(weight_dtype)
                                                     : Dtype::f32;
}

/// Calls `use` with each block's weights and bytes.
template <typename Byte, typename Weight>
void for_blocks(std::span<Weight> weights, const BlockQuantizer& quantizer, Dtype weight_dtype,
                const EncodedParts<Byte>& parts, const auto& use) {
  const auto bytes = formats::block_bytes(quantizer.encoding(), weight_dtype);
  const auto length = size(quantizer.block_length);
  const auto blocks = weights.size() / length;
  expect(weights.size() % length == 0 && parts.codes.size() == blocks * size(bytes.codes) &&
             parts.scales.size() == blocks * size(bytes.scales),
         "not as many bytes as the blocks have");
  for (std::size_t block = 0; block * length < weights.size(); ++block) {
    use(weights.subspan(block * length, length),
        EncodedParts<Byte>{parts.codes.subspan(block * size(bytes.codes), size(bytes.codes)),
                           parts.scales.subspan(block * size(bytes.scales), size(bytes.scales)),
                           {}});
  }
}

}  // namespace

std::optional<Settled> settle(const formats::Encoding& encoding) {
  const auto* const format = formats::find_format(encoding.quantizer);
  if (format == nullptr || encoding.group_size < 1) return std::nullopt;
  if (format->has_bits()) {
    if (encoding.bits < 2 || encoding.bits > 8) return std::nullopt;
    return Quantizer{
        format->family == formats::Family::rtn ? QuantizerFamily::rtn : QuantizerFamily::affine,
        encoding.bits, encoding.group_size};
  }
  if (encoding.bits != format->bits.front()) return std::nullopt;
  if (format->has_fixed_block() && encoding.group_size != format->groups.front())
    return std::nullopt;
  const auto* const kernels = find_block_format(encoding.quantizer);
  expect(kernels != nullptr, "a format of the catalog that has no kernels");
  return BlockQuantizer{kernels, encoding.group_size};
}

formats::Encoding encoding_of(const Settled& settled) {
  return std::visit([](const auto& quantizer) { return quantizer.encoding(); }, settled);
}

RowCodec::RowCodec(const Settled& settled, Dtype weight_dtype)
    : settled_(settled), weight_dtype_(weight_dtype) {}

std::int64_t RowCodec::buffer_bytes(std::int64_t weights, std::int64_t groups) {
  constexpr auto number = static_cast<std::int64_t>(sizeof(float));
  // Codes, and as words; scales and biases.
  return 2 * weights + 2 * groups * number;
}

formats::BlockBytes RowCodec::bytes_of(std::int64_t weights) const {
  const auto encoding = encoding_of(settled_);
  const auto blocks = weights / encoding.group_size;
  const auto block = formats::block_bytes(encoding, weight_dtype_);
  return {blocks * block.codes, blocks * block.scales, blocks * block.biases};
}

void RowCodec::quantize(const Quantizer& quantizer, const RowBlock& block) {
  const auto groups = size(rows_in(block.values.size(), block.columns) *
                           groups_of_row(block.columns, quantizer.group_size));
  codes_.resize(block.values.size());
  scales_.resize(groups);
  biases_.resize(groups);
  quantize_rows(block, quantizer, weight_dtype_, {codes_, scales_, biases_});
}

void RowCodec::dequantize(const Quantizer& quantizer, std::int64_t columns,
                          std::span<float> out) const {
  dequantize_rows(codes_, scales_, biases_, columns, quantizer.group_size, out);
}

void RowCodec::encode(const RowBlock& block, float matrix_amax, const PartsOut& out,
                      std::span<float> decoded) {
  if (const auto* quantizer = std::get_if<Quantizer>(&settled_)) {
    expect(block.columns % quantizer->group_size == 0, "rows are not whole groups");
    expect(quantizer->group_size * quantizer->bits % 8 == 0, "groups are not whole bytes");
    quantize(*quantizer, block);
    words_.resize(out.codes.size() / sizeof(std::uint32_t));
    pack_codes(codes_, quantizer->bits, words_);
    std::ranges::copy(std::as_bytes(std::span(words_)), out.codes.begin());
    const auto dtype = parameter_dtype(*quantizer, weight_dtype_);
    kernels::encode(dtype, scales_, out.scales);
    kernels::encode(dtype, biases_, out.biases);
    if (!decoded.empty()) dequantize(*quantizer, block.columns, decoded);
    return;
  }
  const auto& quantizer = std::get<BlockQuantizer>(settled_);
  expect(block.columns % quantizer.block_length == 0, "rows are not whole blocks");
  for_blocks<std::byte>(block.values, quantizer, weight_dtype_, out,
                        [&](std::span<const float> weights, const PartsOut& parts) {
                          quantizer.format->encode(weights, {weight_dtype_, matrix_amax}, parts);
                        });
  if (!decoded.empty()) decode({out.codes, out.scales, out.biases}, matrix_amax, decoded);
}

void RowCodec::decode(const PartsIn& in, float matrix_amax, std::span<float> out) {
  if (const auto* quantizer = std::get_if<Quantizer>(&settled_)) {
    const auto groups = out.size() / size(quantizer->group_size);
    codes_.resize(out.size());
    words_.resize(in.codes.size() / sizeof(std::uint32_t));
    scales_.resize(groups);
    biases_.resize(groups);
    std::ranges::copy(in.codes, std::as_writable_bytes(std::span(words_)).begin());
    unpack_codes(words_, quantizer->bits, codes_);
    const auto dtype = parameter_dtype(*quantizer, weight_dtype_);
    kernels::decode(dtype, in.scales, scales_);
    kernels::decode(dtype, in.biases, biases_);
    // Rows are whole groups, so they may be seen as one.
    return dequantize(*quantizer, checked_cast<std::int64_t>(out.size()), out);
  }
  const auto& quantizer = std::get<BlockQuantizer>(settled_);
  for_blocks<const std::byte>(
      out, quantizer, weight_dtype_, in, [&](std::span<float> weights, const PartsIn& parts) {
        quantizer.format->decode(parts, {weight_dtype_, matrix_amax}, weights);
      });
}

void RowCodec::round_trip(const RowBlock& block, float matrix_amax, std::span<float> out) {
  if (const auto* quantizer = std::get_if<Quantizer>(&settled_)) {
    quantize(*quantizer, block);
    return dequantize(*quantizer, block.columns, out);
  }
  const auto& quantizer = std::get<BlockQuantizer>(settled_);
  expect(block.columns % quantizer.block_length == 0, "rows are not whole blocks");
  expect(out.size() == block.values.size(), "not as many values as weights");
  const BlockContext context{weight_dtype_, matrix_amax};
  const auto length = size(quantizer.block_length);
  BlockBuffer buffer(quantizer, weight_dtype_);
  for (std::size_t first = 0; first < out.size(); first += length) {
    quantizer.format->encode(block.values.subspan(first, length), context, buffer.out());
    quantizer.format->decode(buffer.in(), context, out.subspan(first, length));
  }
}

}  // namespace moesweep::kernels
