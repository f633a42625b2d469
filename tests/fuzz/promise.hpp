#pragma once
// What every parser of foreign bytes promises: a value, or an Error of one line with the right exit
// code. A target is LLVMFuzzerTestOneInput over the parser that the program has.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include <moesweep/core/base/error.hpp>

namespace moesweep::fuzz {

inline void require(bool kept) {
  if (!kept) std::abort();
}

inline void parses_or_refuses(const std::function<void()>& parse,
                              std::initializer_list<ExitCode> refusals = {ExitCode::bad_input}) {
  constexpr std::size_t longest_line = 16384;
  try {
    parse();
  } catch (const Error& error) {
    bool is_expected = false;
    for (const auto code : refusals) is_expected = is_expected || error.exit_code() == code;
    require(is_expected);
    const std::string_view line = error.what();
    require(line.find('\n') == std::string_view::npos && line.size() < longest_line);
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A file of these bytes in memory, for parsers that take a path.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const;

 private:
  int descriptor_;
};

/// A folder in memory for files whose names matter; emptied by whoever uses it.
const std::filesystem::path& memory_folder();
void write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace moesweep::fuzz
