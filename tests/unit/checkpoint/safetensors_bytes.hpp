#pragma once
// Safetensors files put together by hand, so that the reader is not only tested with our writer.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include <gmock/gmock.h>

#include <moesweep/core/base/error.hpp>

namespace moesweep::checkpoint::test {

inline std::string length_prefix(std::uint64_t length) {
  std::string prefix(8, '\0');
  for (auto& c : prefix) {
    c = static_cast<char>(length & 0xff);
    length >>= 8;
  }
  return prefix;
}

/// Prefix and header, without data.
inline std::string header_of(std::string_view json) {
  return length_prefix(json.size()) + std::string(json);
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// A file with one U8 vector that holds `content`.
inline std::string one_tensor_file(const std::string& name, const std::string& content) {
  const auto size = std::to_string(content.size());
  return header_of("{\"" + name + R"(":{"dtype":"U8","shape":[)" + size +
                   R"(],"data_offsets":[0,)" + size + "]}}") +
         content;
}

/// Runs `action` and returns the message of the Error(bad_input) that it must throw.
template <typename Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    return error.what();
  }
  ADD_FAILURE() << "was accepted";
  return {};
}

}  // namespace moesweep::checkpoint::test
