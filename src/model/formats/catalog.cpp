#include <algorithm>
#include <array>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/catalog.hpp>

namespace moesweep::formats {
namespace {

constexpr std::array<std::int32_t, 6> integer_bits = {2, 3, 4, 5, 6, 8};
constexpr std::array<std::int32_t, 3> integer_groups = {32, 64, 128};

// Spans of one: these outlive the rows that point to them.
constexpr std::array<std::int32_t, 9> numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8};
constexpr auto bits_of(std::size_t bits) {
  return std::span(numbers).subspan(bits, 1);
}
constexpr std::array<std::int32_t, 1> blocks_of_16 = {16};
constexpr std::array<std::int32_t, 1> blocks_of_32 = {32};
constexpr std::array<std::int32_t, 1> blocks_of_256 = {256};

constexpr Format ggml(std::string_view name, std::size_t bits, std::span<const std::int32_t> block,
                      int metadata_bits, int relative_cost, std::uint32_t type) {
  return {.name = name,
          .stored_as = name,
          .family = Family::ggml,
          .bits = bits_of(bits),
          .groups = block,
          .metadata_bits = metadata_bits,
          .relative_cost = relative_cost,
          .is_default = true,
          .words = {.ggml_type = type}};
}

constexpr Format mxfp4(std::string_view name, int relative_cost, const Words& words) {
  return {.name = name,
          .stored_as = "mxfp4",
          .family = Family::mxfp4,
          .bits = bits_of(4),
          .groups = blocks_of_32,
          .metadata_bits = 8,
          .relative_cost = relative_cost,
          .words = words};
}

constexpr Format compressed_tensors(std::string_view name, std::size_t bits) {
  return {.name = name,
          .stored_as = name,
          .family = Family::compressed_tensors,
          .bits = bits_of(bits),
          .groups = integer_groups,
          .weight_dtype_numbers = 1,
          .relative_cost = 32,
          .is_default = true,
          .words = {.compressed_tensors = "pack-quantized", .gptqmodel = true, .modelopt = true}};
}

constexpr std::array rows = {
    Format{.name = "rtn",
           .stored_as = "rtn",
           .family = Family::rtn,
           .bits = integer_bits,
           .groups = integer_groups,
           .metadata_bits = 64},
    Format{.name = "affine",
           .stored_as = "affine",
           .family = Family::affine,
           .bits = integer_bits,
           .groups = integer_groups,
           .weight_dtype_numbers = 2,
           .is_default = true,
           .words = {.mlx_mode = "affine", .gptqmodel = true}},
    ggml("q8_0", 8, blocks_of_32, 16, 32, 8),
    ggml("q6_k", 6, blocks_of_256, 144, 220, 14),
    ggml("q5_k", 5, blocks_of_256, 128, 300, 13),
    ggml("q4_k", 4, blocks_of_256, 128, 370, 12),
    ggml("q3_k", 3, blocks_of_256, 112, 66, 11),
    ggml("q2_k", 2, blocks_of_256, 160, 310, 10),
    Format{.name = "nvfp4",
           .stored_as = "nvfp4",
           .family = Family::nvfp4,
           .bits = bits_of(4),
           .groups = blocks_of_16,
           .metadata_bits = 8,
           .scope = Scope::matrix,
           .relative_cost = 28,
           .words = {.modelopt = true}},
    mxfp4("mxfp4_ocp", 26, {}),
    mxfp4("mxfp4_even", 26, {}),
    mxfp4("mxfp4_rceil", 26, {}),
    mxfp4("mxfp4_ggml", 90, {.ggml_type = 39}),
    compressed_tensors("ct_int4", 4),
    compressed_tensors("ct_int8", 8),
};

}  // namespace

bool Format::has_bits_of(const Encoding& encoding) const {
  return encoding.quantizer == name && std::ranges::find(bits, encoding.bits) != bits.end();
}

bool Format::offers(const Encoding& encoding) const {
  return has_bits_of(encoding) && std::ranges::find(groups, encoding.group_size) != groups.end();
}

std::span<const Format> catalog() {
  return rows;
}

const Format* find_format(std::string_view name) {
  const auto* const found = std::ranges::find(rows, name, &Format::name);
  return found == rows.end() ? nullptr : found;
}

const Format& format_named(std::string_view name) {
  const auto* const found = find_format(name);
  expect(found != nullptr, "a format that the catalog does not have");
  return *found;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& format : rows) all.emplace_back(format.name);
  return all;
}

}  // namespace moesweep::formats
