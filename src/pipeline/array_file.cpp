#include "array_file.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/dtype.hpp>
#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/base/macos_file.hpp>
#include <moesweep/base/paths.hpp>
#include <moesweep/checkpoint/checkpoint.hpp>

#include "npy_header.hpp"
#include "npz_file.hpp"

namespace moesweep::pipeline {
namespace {

constexpr auto npy = ".npy";

Array open_npy(const std::filesystem::path& path) {
  const auto place = path.string();
  const auto file = open_for_reading(path);
  const auto file_bytes = file_size(file, path);
  if (file_bytes < npy_prefix_bytes) {
    throw Error(ExitCode::bad_input, place, "is not an .npy array",
                "save the array with numpy.save");
  }
  std::vector<std::byte> bytes(npy_prefix_bytes);
  read_exactly(file, 0, bytes, path);
  bytes.resize(npy_header_bytes(bytes, file_bytes, place));
  read_exactly(file, 0, bytes, path);
  const auto header = parse_npy_header(bytes, file_bytes, place);
  return {place, header.type, header.shape, [path, header](const TakeBytes& take) {
            const auto npy_file = open_for_reading(path);
            std::vector<std::byte> data;
            for_each_part(header.data_bytes, header.type.bytes,
                          [&](std::uint64_t offset, std::size_t part_bytes) {
                            data.resize(part_bytes);
                            read_exactly(npy_file, header.data_begin + offset, data, path);
                            take(data);
                          });
          }};
}

Arrays open_folder(const std::filesystem::path& folder) {
  Arrays arrays;
  for (const auto& path : paths_below(folder, ExitCode::bad_input)) {
    if (path.extension() != npy || is_of_macos(path)) continue;
    auto name = path.lexically_relative(folder);
    arrays.emplace(name.replace_extension().generic_string(), open_npy(path));
  }
  return arrays;
}

ElementType type_of(Dtype dtype, const std::string& place) {
  const auto bytes = dtype_bits(dtype) / 8;
  switch (dtype) {
    case Dtype::bf16:
      return {ElementKind::bfloat, bytes};
    case Dtype::f16:
    case Dtype::f32:
    case Dtype::f64:
      return {ElementKind::floating, bytes};
    case Dtype::i8:
    case Dtype::i16:
    case Dtype::i32:
    case Dtype::i64:
      return {ElementKind::signed_integer, bytes};
    case Dtype::u8:
    case Dtype::boolean:
      return {ElementKind::unsigned_integer, bytes};
    default:
      throw Error(ExitCode::bad_input, place,
                  fmt::format("has elements of type {}", dtype_name(dtype)),
                  "convert it to F16, BF16, F32, F64, I8 to I64, U8 or BOOL");
  }
}

Arrays open_safetensors(const std::filesystem::path& path) {
  const auto checkpoint = checkpoint::open_checkpoint(path);
  const auto reader = std::make_shared<checkpoint::TensorReader>(checkpoint);
  Arrays arrays;
  for (const auto& tensor : checkpoint.tensors) {
    const auto place = fmt::format("{}:{}", path.string(), tensor.name);
    const auto type = type_of(tensor.dtype, place);
    const auto read = [reader, tensor, type](const TakeBytes& take) {
      std::vector<std::byte> data;
      for_each_part(checked_cast<std::uint64_t>(tensor.bytes()), type.bytes,
                    [&](std::uint64_t offset, std::size_t part_bytes) {
                      data.resize(part_bytes);
                      reader->read(tensor, offset, data);
                      take(data);
                    });
    };
    arrays.emplace(tensor.name, Array{place, type, tensor.shape, read});
  }
  return arrays;
}

}  // namespace

std::int64_t Array::elements() const {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return count;
}

void for_each_part(std::uint64_t bytes, std::int64_t element_bytes,
                   const std::function<void(std::uint64_t, std::size_t)>& piece) {
  constexpr std::uint64_t most = std::uint64_t{1} << 20;
  const auto element = checked_cast<std::uint64_t>(element_bytes);
  const auto part = most / element * element;
  for (std::uint64_t offset = 0; offset < bytes; offset += part) {
    piece(offset, std::min(part, bytes - offset));
  }
}

Arrays open_arrays(const std::filesystem::path& path) {
  Arrays arrays;
  if (is_folder(path, ExitCode::bad_input)) {
    arrays = open_folder(path);
  } else if (path.extension() == ".npz") {
    arrays = open_npz(path);
  } else if (path.extension() == npy) {
    arrays.emplace(path.stem().string(), open_npy(path));
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

}  // namespace moesweep::pipeline
