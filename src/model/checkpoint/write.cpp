#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/model/checkpoint/header.hpp>
#include <moesweep/model/checkpoint/write.hpp>

namespace moesweep::checkpoint {
namespace {

// A multiple of every element size, so that no piece cuts an element.
constexpr std::uint64_t piece_bytes = std::uint64_t{8} << 20;

std::uint64_t tensor_bytes(const auto& tensor) {
  auto bits = checked_cast<std::uint64_t>(dtype_bits(tensor.dtype));
  for (const auto side : tensor.shape) {
    const auto product = checked_product(bits, checked_cast<std::uint64_t>(side));
    expect(product.has_value(), "tensor to be written is too large");
    bits = *product;
  }
  expect(bits % 8 == 0, "tensor to be written does not fill whole bytes");
  return bits / 8;
}

// Only what parse_header accepts is written.
void expect_valid_names(std::span<const TensorShape> tensors) {
  std::set<std::string_view> names;
  for (const auto& tensor : tensors) {
    expect(names.insert(tensor.name).second, "tensor to be written twice");
    expect(!tensor.name.empty() && tensor.name.size() <= max_name_bytes &&
               !has_control_characters(tensor.name) && tensor.name != "__metadata__",
           "tensor to be written has a bad name");
    expect(tensor.shape.size() <= max_rank, "tensor to be written has too many dimensions");
  }
}

std::string json_text(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    bug("tensor to be written has a name that is not UTF-8");
  }
}

std::string header_text(std::span<const TensorShape> tensors, std::string_view format) {
  auto text = fmt::format(R"({{"__metadata__":{{"format":"{}"}})", format);
  std::uint64_t begin = 0;
  for (const auto& tensor : tensors) {
    const auto end = checked_sum(begin, tensor_bytes(tensor));
    expect(end.has_value(), "tensors to be written are too large");
    text += fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                        json_text(tensor.name), dtype_name(tensor.dtype),
                        fmt::join(tensor.shape, ","), begin, *end);
    begin = *end;
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  expect(text.size() <= max_header_bytes, "header to be written is too large");
  return text;
}

std::vector<TensorShape> shapes_of(std::span<const TensorSource> tensors) {
  std::vector<TensorShape> shapes;
  for (const auto& tensor : tensors) shapes.push_back({tensor.name, tensor.dtype, tensor.shape});
  return shapes;
}

// Calls `write` with one piece of the file after the other.
void write_pieces(std::span<const TensorSource> tensors, const auto& write) {
  const auto header = safetensors_header(shapes_of(tensors));
  write(std::as_bytes(std::span(header)));
  std::vector<std::byte> piece;
  for (const auto& tensor : tensors) {
    const auto bytes = tensor_bytes(tensor);
    for (std::uint64_t offset = 0; offset < bytes; offset += piece.size()) {
      piece.resize(std::min(piece_bytes, bytes - offset));
      tensor.fill(offset, piece);
      write(std::span<const std::byte>(piece));
    }
  }
}

}  // namespace

std::string safetensors_header(std::span<const TensorShape> tensors, std::string_view format) {
  expect_valid_names(tensors);
  const auto text = header_text(tensors, format);
  std::string header;
  for (std::size_t i = 0; i < 8; ++i) header += static_cast<char>(text.size() >> (8 * i) & 0xff);
  return header + text;
}

std::int64_t safetensors_bytes(std::span<const TensorShape> tensors, std::string_view format) {
  auto bytes = checked_cast<std::int64_t>(safetensors_header(tensors, format).size());
  for (const auto& tensor : tensors) bytes += checked_cast<std::int64_t>(tensor_bytes(tensor));
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorSource> tensors) {
  FilePublisher file(path);
  write_pieces(tensors, [&file](std::span<const std::byte> piece) { file.write(piece); });
  file.publish();
}

std::vector<std::byte> encode_safetensors(std::span<const TensorSource> tensors) {
  std::vector<std::byte> bytes;
  write_pieces(tensors, [&bytes](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

}  // namespace moesweep::checkpoint
