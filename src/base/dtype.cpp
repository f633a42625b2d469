#include <array>

#include <moesweep/base/dtype.hpp>

namespace moesweep {
namespace {

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;
  std::int64_t bytes;
};

// In the order of the enum.
constexpr std::array dtypes = {
    DtypeInfo{Dtype::bf16, "BF16", 2},       DtypeInfo{Dtype::f16, "F16", 2},
    DtypeInfo{Dtype::f32, "F32", 4},         DtypeInfo{Dtype::f64, "F64", 8},
    DtypeInfo{Dtype::f8_e4m3, "F8_E4M3", 1}, DtypeInfo{Dtype::f8_e5m2, "F8_E5M2", 1},
    DtypeInfo{Dtype::i8, "I8", 1},           DtypeInfo{Dtype::i16, "I16", 2},
    DtypeInfo{Dtype::i32, "I32", 4},         DtypeInfo{Dtype::i64, "I64", 8},
    DtypeInfo{Dtype::u8, "U8", 1},           DtypeInfo{Dtype::u16, "U16", 2},
    DtypeInfo{Dtype::u32, "U32", 4},         DtypeInfo{Dtype::u64, "U64", 8},
    DtypeInfo{Dtype::boolean, "BOOL", 1},
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

std::int64_t dtype_bytes(Dtype dtype) {
  return info(dtype).bytes;
}

bool is_floating_point(Dtype dtype) {
  return dtype <= Dtype::f8_e5m2;
}

}  // namespace moesweep
