#include "array_source.hpp"

#include <memory>

#include <fmt/format.h>

#include <moesweep/core/arrays/npz_file.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/dtype.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>

namespace moesweep::jobs {
namespace {

arrays::ElementType type_of(Dtype dtype, const std::string& place) {
  const auto bytes = dtype_bits(dtype) / 8;
  switch (dtype) {
    case Dtype::bf16:
      return {arrays::ElementKind::bfloat, bytes};
    case Dtype::f16:
    case Dtype::f32:
    case Dtype::f64:
      return {arrays::ElementKind::floating, bytes};
    case Dtype::i8:
    case Dtype::i16:
    case Dtype::i32:
    case Dtype::i64:
      return {arrays::ElementKind::signed_integer, bytes};
    case Dtype::u8:
    case Dtype::boolean:
      return {arrays::ElementKind::unsigned_integer, bytes};
    default:
      throw Error(ExitCode::bad_input, place,
                  fmt::format("has elements of type {}", dtype_name(dtype)),
                  "convert it to F16, BF16, F32, F64, I8 to I64, U8 or BOOL");
  }
}

arrays::Arrays open_safetensors(const std::filesystem::path& path) {
  const auto checkpoint = checkpoint::open_checkpoint(path);
  const auto reader = std::make_shared<checkpoint::TensorReader>(checkpoint);
  arrays::Arrays arrays;
  for (const auto& tensor : checkpoint.tensors) {
    const auto place = fmt::format("{}:{}", path.string(), tensor.name);
    const auto type = type_of(tensor.dtype, place);
    const auto read = [reader, tensor, type](const arrays::TakeBytes& take) {
      std::vector<std::byte> data;
      arrays::for_each_part(checked_cast<std::uint64_t>(tensor.bytes()), type.bytes,
                            [&](std::uint64_t offset, std::size_t part_bytes) {
                              data.resize(part_bytes);
                              reader->read(tensor, offset, data);
                              take(data);
                            });
    };
    arrays.emplace(tensor.name, arrays::Array{place, type, tensor.shape, read});
  }
  return arrays;
}

}  // namespace

arrays::Arrays open_arrays(const std::filesystem::path& path) {
  arrays::Arrays arrays;
  if (is_folder(path, ExitCode::bad_input)) {
    arrays = arrays::open_npy_folder(path);
  } else if (path.extension() == ".npz") {
    arrays = arrays::open_npz(path);
  } else if (path.extension() == ".npy") {
    arrays.emplace(path.stem().string(), arrays::open_npy(path));
  } else if (path.extension() == ".safetensors") {
    arrays = open_safetensors(path);
  } else {
    throw Error(ExitCode::bad_input, path.string(),
                "is not an .npz, a folder of .npy or a "
                ".safetensors file",
                "name one of these");
  }
  if (arrays.empty()) throw Error(ExitCode::bad_input, path.string(), "holds no arrays");
  return arrays;
}

}  // namespace moesweep::jobs
