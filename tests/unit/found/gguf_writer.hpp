#pragma once
// GGUF files for tests, damaged where a test wants them so.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace moesweep::found::test {

class GgufWriter {
 public:
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> sizes;  ///< innermost first
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
  };

  std::uint32_t version = 3;
  std::vector<Tensor> tensors;
  std::uint64_t data_bytes = 0;
  std::uint64_t alignment = 32;

  GgufWriter& number(const std::string& key, std::uint32_t type, std::uint64_t value, int width) {
    begin_pair(key, type);
    append(pairs_, value, width);
    return *this;
  }
  GgufWriter& text(const std::string& key, const std::string& value) {
    begin_pair(key, 8);
    append_text(pairs_, value);
    return *this;
  }
  /// A value of any type: `bytes` as they are.
  GgufWriter& raw(const std::string& key, std::uint32_t type, const std::string& bytes) {
    begin_pair(key, type);
    pairs_ += bytes;
    return *this;
  }
  /// Placed behind the tensors before it.
  GgufWriter& tensor(const std::string& name, std::vector<std::uint64_t> sizes, std::uint32_t type,
                     std::uint64_t bytes) {
    tensors.push_back({name, std::move(sizes), type, data_bytes});
    data_bytes = (data_bytes + bytes + alignment - 1) / alignment * alignment;
    return *this;
  }

  std::string header() const {
    std::string bytes = "GGUF";
    append(bytes, version, 4);
    append(bytes, tensors.size(), 8);
    append(bytes, count_, 8);
    bytes += pairs_;
    for (const auto& made : tensors) {
      append_text(bytes, made.name);
      append(bytes, made.sizes.size(), 4);
      for (const auto size : made.sizes) append(bytes, size, 8);
      append(bytes, made.type, 4);
      append(bytes, made.offset, 8);
    }
    return bytes;
  }
  std::string file() const {
    auto bytes = header();
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment + data_bytes);
    return bytes;
  }

  static void append(std::string& bytes, std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
  }
  static void append_text(std::string& bytes, const std::string& text) {
    append(bytes, text.size(), 8);
    bytes += text;
  }

 private:
  void begin_pair(const std::string& key, std::uint32_t type) {
    ++count_;
    append_text(pairs_, key);
    append(pairs_, type, 4);
  }

  std::string pairs_;
  std::uint64_t count_ = 0;
};

}  // namespace moesweep::found::test
