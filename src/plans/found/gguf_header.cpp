#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/checkpoint/header.hpp>
#include <moesweep/plans/found/gguf_header.hpp>

#include "gguf_cursor.hpp"

namespace moesweep::found {
namespace {

constexpr std::uint64_t longest_key = 65535;  // of the specification
constexpr std::uint64_t most_dimensions = 4;  // GGML_MAX_DIMS
constexpr std::uint64_t smallest_pair = 8 + 1 + 4 + 1;
constexpr std::uint64_t smallest_tensor = 8 + 1 + 4 + 4 + 8;

// Value types of metadata, enum gguf_type.
enum ValueType : std::uint32_t { text_value = 8, array_value = 9 };

/// Bytes of a value of fixed size; 0 for texts, arrays and unknown types.
std::uint64_t value_bytes(std::uint32_t type) {
  constexpr std::array<std::uint64_t, 13> bytes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return type < bytes.size() ? bytes[type] : 0;
}

std::string shown(const std::string& key) {
  constexpr std::size_t most = 100;
  return printable(key.substr(0, most));
}

class HeaderParser {
 public:
  HeaderParser(const GgufBytes& bytes, const std::string& file)
      : cursor_(bytes, file), size_(bytes.size) {}

  GgufHeader parse() {
    read_version();
    const auto tensors = cursor_.count(smallest_tensor, "the number of tensors");
    const auto pairs = cursor_.count(smallest_pair, "the number of metadata pairs");
    for (std::uint64_t i = 0; i < pairs; ++i) read_pair();
    for (std::uint64_t i = 0; i < tensors; ++i) read_tensor();
    place_tensors();
    refuse_overlaps();
    return std::move(header_);
  }

 private:
  void read_version() {
    constexpr std::uint32_t magic = 0x46554747;  // "GGUF"
    if (cursor_.u32("the magic") != magic) cursor_.refuse("does not begin with GGUF");
    header_.version = cursor_.u32("the version");
    if (header_.version == 2 || header_.version == 3) return;
    if ((header_.version & 0xFFFFU) == 0) cursor_.refuse("is a big-endian GGUF file");
    cursor_.refuse(fmt::format("is GGUF version {}, 2 and 3 can be read", header_.version));
  }

  void read_pair() {
    const auto key = cursor_.text("a metadata key", longest_key);
    if (!keys_.insert(key).second)
      cursor_.refuse(fmt::format("has the key \"{}\" twice", shown(key)));
    const auto type = cursor_.u32("the type of a metadata value");
    if (key == "general.architecture" && type == text_value) {
      header_.architecture = cursor_.text("general.architecture", longest_key);
    } else if (key == "general.alignment") {
      header_.alignment = read_number(type, key);
      constexpr std::uint64_t largest = 1 << 20;
      if (!std::has_single_bit(header_.alignment) || header_.alignment > largest) {
        cursor_.refuse(fmt::format("general.alignment {} is no power of two up to {}",
                                   header_.alignment, largest));
      }
    } else if (key == "split.count") {
      header_.split_count = read_number(type, key);
    } else if (key == "split.no") {
      header_.split_number = read_number(type, key);
    } else {
      skip_value(type, key, 0);
    }
  }

  std::uint64_t read_number(std::uint32_t type, const std::string& key) {
    // 2 and 3 are 16 bits wide, 4 and 5 32, 10 and 11 64.
    if (type == 4 || type == 5) return cursor_.u32("a metadata value");
    if (type == 10 || type == 11) return cursor_.u64("a metadata value");
    if (type == 2 || type == 3) return cursor_.u16("a metadata value");
    cursor_.refuse(fmt::format("the value of \"{}\" is no integer", shown(key)));
  }

  void skip_value(std::uint32_t type, const std::string& key, int depth) {
    if (const auto bytes = value_bytes(type); bytes > 0) {
      return cursor_.skip(1, bytes, "a metadata value");
    }
    if (type == text_value) return skip_text();
    if (type != array_value) {
      cursor_.refuse(fmt::format("the value of \"{}\" has the unknown type {}", shown(key), type));
    }
    constexpr int deepest = 4;
    if (depth == deepest) cursor_.refuse(fmt::format("\"{}\" nests arrays too deep", shown(key)));
    skip_array(key, depth + 1);
  }

  void skip_array(const std::string& key, int depth) {
    const auto type = cursor_.u32("the type of an array");
    if (const auto bytes = value_bytes(type); bytes > 0) {
      return cursor_.skip(cursor_.count(bytes, "the length of an array"), bytes, "an array");
    }
    const auto count = cursor_.count(8, "the length of an array");
    for (std::uint64_t i = 0; i < count; ++i) skip_value(type, key, depth);
    // Otherwise an empty array of anything would pass.
    if (type != text_value && type != array_value) {
      cursor_.refuse(fmt::format("the array \"{}\" has the unknown type {}", shown(key), type));
    }
  }

  void skip_text() { cursor_.skip(cursor_.count(1, "a metadata text"), 1, "a metadata text"); }

  void read_tensor() {
    GgufTensor tensor;
    tensor.name = cursor_.text("a tensor name", checkpoint::max_name_bytes);
    if (tensor.name.empty() || tensor.name != printable(tensor.name)) {
      cursor_.refuse("has a tensor whose name is empty or has control characters");
    }
    if (!names_.insert(tensor.name).second) refuse(tensor, "is there twice");
    const auto dimensions = cursor_.u32("the number of dimensions");
    if (dimensions > most_dimensions) {
      refuse(tensor, fmt::format("has {} dimensions, at most {} are possible", dimensions,
                                 most_dimensions));
    }
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      const auto size = cursor_.u64("a tensor's shape");
      if (!std::in_range<std::int64_t>(size)) refuse(tensor, "has a size beyond 2^63");
      tensor.shape.insert(tensor.shape.begin(), static_cast<std::int64_t>(size));
    }
    const auto type = cursor_.u32("a tensor's type");
    tensor.type = formats::ggml_type(type);
    if (tensor.type == nullptr) refuse(tensor, fmt::format("has the unknown type {}", type));
    tensor.byte_begin = cursor_.u64("a tensor's offset");  // from the data's start, for now
    header_.tensors.push_back(std::move(tensor));
  }

  std::uint64_t bytes_of(const GgufTensor& tensor) const {
    const auto columns = tensor.shape.empty() ? 1 : tensor.shape.back();
    if (columns % tensor.type->length != 0) {
      refuse(tensor, fmt::format("has rows of {} weights, {} has blocks of {}", columns,
                                 tensor.type->name, tensor.type->length));
    }
    auto bytes = checked_product(checked_cast<std::uint64_t>(columns / tensor.type->length),
                                 checked_cast<std::uint64_t>(tensor.type->bytes));
    std::optional<std::uint64_t> params = checked_cast<std::uint64_t>(columns);
    for (std::size_t i = 0; i + 1 < tensor.shape.size(); ++i) {
      const auto size = checked_cast<std::uint64_t>(tensor.shape[i]);
      if (bytes) bytes = checked_product(*bytes, size);
      if (params) params = checked_product(*params, size);
    }
    if (!bytes || !params || !std::in_range<std::int64_t>(*params) ||
        !std::in_range<std::int64_t>(*bytes)) {
      refuse(tensor, "has a size beyond 2^63");
    }
    return *bytes;
  }

  void place_tensors() {
    const auto begin = checked_sum(cursor_.offset(), header_.alignment - 1);
    const auto data = *begin / header_.alignment * header_.alignment;
    for (auto& tensor : header_.tensors) {
      if (tensor.byte_begin % header_.alignment != 0) {
        refuse(tensor, fmt::format("is not aligned to {} bytes", header_.alignment));
      }
      const auto first = checked_sum(data, tensor.byte_begin);
      const auto last = first ? checked_sum(*first, bytes_of(tensor)) : std::nullopt;
      if (!last || *last > size_) {
        refuse(tensor, fmt::format("ends behind the file of {} bytes", size_));
      }
      tensor.byte_begin = *first;
      tensor.byte_end = *last;
    }
  }

  void refuse_overlaps() const {
    std::vector<const GgufTensor*> sorted;
    for (const auto& tensor : header_.tensors) {
      if (tensor.byte_end > tensor.byte_begin) sorted.push_back(&tensor);
    }
    std::ranges::sort(sorted, {}, &GgufTensor::byte_begin);
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i]->byte_begin < sorted[i - 1]->byte_end) {
        refuse(*sorted[i], fmt::format("overlaps \"{}\"", sorted[i - 1]->name));
      }
    }
  }

  [[noreturn]] void refuse(const GgufTensor& tensor, const std::string& problem) const {
    cursor_.refuse(fmt::format("tensor \"{}\" {}", tensor.name, problem));
  }

  GgufCursor cursor_;
  std::uint64_t size_;
  GgufHeader header_;
  std::set<std::string> keys_;
  std::set<std::string> names_;
};

}  // namespace

GgufHeader parse_gguf(const GgufBytes& bytes, const std::string& file) {
  return HeaderParser(bytes, file).parse();
}

}  // namespace moesweep::found
