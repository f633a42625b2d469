#include <array>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep {
namespace {

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;
  std::int64_t bits;
};

// In the order of the enum.
constexpr std::array dtypes = {
    DtypeInfo{Dtype::bf16, "BF16", 16},
    DtypeInfo{Dtype::f16, "F16", 16},
    DtypeInfo{Dtype::f32, "F32", 32},
    DtypeInfo{Dtype::f64, "F64", 64},
    DtypeInfo{Dtype::f8_e4m3, "F8_E4M3", 8},
    DtypeInfo{Dtype::f8_e5m2, "F8_E5M2", 8},
    DtypeInfo{Dtype::i8, "I8", 8},
    DtypeInfo{Dtype::i16, "I16", 16},
    DtypeInfo{Dtype::i32, "I32", 32},
    DtypeInfo{Dtype::i64, "I64", 64},
    DtypeInfo{Dtype::u8, "U8", 8},
    DtypeInfo{Dtype::u16, "U16", 16},
    DtypeInfo{Dtype::u32, "U32", 32},
    DtypeInfo{Dtype::u64, "U64", 64},
    DtypeInfo{Dtype::boolean, "BOOL", 8},
    DtypeInfo{Dtype::c64, "C64", 64},
    DtypeInfo{Dtype::f8_e8m0, "F8_E8M0", 8},
    DtypeInfo{Dtype::f6_e2m3, "F6_E2M3", 6},
    DtypeInfo{Dtype::f6_e3m2, "F6_E3M2", 6},
    DtypeInfo{Dtype::f4, "F4", 4},
    DtypeInfo{Dtype::f8_e4m3fnuz, "F8_E4M3FNUZ", 8},
    DtypeInfo{Dtype::f8_e5m2fnuz, "F8_E5M2FNUZ", 8},
};

const DtypeInfo& info(Dtype dtype) {
  return dtypes[static_cast<std::size_t>(dtype)];
}

}  // namespace

std::string_view dtype_name(Dtype dtype) {
  return info(dtype).name;
}

std::optional<Dtype> parse_dtype(std::string_view name) {
  for (const auto& known : dtypes) {
    if (known.name == name) return known.dtype;
  }
  return std::nullopt;
}

std::int64_t dtype_bits(Dtype dtype) {
  return info(dtype).bits;
}

std::int64_t dtype_bytes(Dtype dtype) {
  const auto bits = dtype_bits(dtype);
  expect(bits % 8 == 0, "bytes of an element that is smaller than one");
  return bits / 8;
}

std::int64_t bytes_of_elements(Dtype dtype, std::int64_t elements) {
  const auto bits = dtype_bits(dtype);
  return bits % 8 == 0 ? elements * (bits / 8) : (elements * bits + 7) / 8;
}

bool is_floating_point(Dtype dtype) {
  return dtype <= Dtype::f8_e5m2;
}

bool is_sub_byte(Dtype dtype) {
  return dtype_bits(dtype) < 8;
}

bool is_integer(Dtype dtype) {
  return dtype >= Dtype::i8 && dtype <= Dtype::boolean;
}

}  // namespace moesweep
