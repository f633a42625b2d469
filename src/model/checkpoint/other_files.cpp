#include "other_files.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/other_text.hpp>
#include <moesweep/core/base/paths.hpp>

namespace moesweep::checkpoint {
namespace {

namespace fs = std::filesystem;

struct OtherFile {
  std::string_view first_bytes;
  const char* what;
  const char* remedy;
};
constexpr std::array other_files = {
    OtherFile{"GGUF", "is a GGUF file", "give the safetensors checkpoint that it was made from"},
    OtherFile{"PK\3\4", "is a zip archive, as PyTorch writes them", "convert it to safetensors"},
    OtherFile{std::string_view("\0\5\26\7\0\2\0\0", 8),
              "is what macOS writes beside a file (AppleDouble), not the file itself",
              "name the file without ._ in front"},
    OtherFile{std::string_view("\200\2\212\12l\374\234F", 8), "is a PyTorch file (a pickle)",
              "convert it to safetensors"},
    OtherFile{"\x89HDF\r\n\x1a\n", "is an HDF5 file", "give the safetensors checkpoint"},
    OtherFile{"\x93NUMPY", "is a NumPy array", "give the safetensors checkpoint"},
};
std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct OtherWeights {
  std::string_view extension;
  const char* what;
  const char* remedy;
};

/// Only a hint depends on it: what may not be read is not named there.
bool is_folder_with_safetensors(const fs::path& path) {
  try {
    return is_folder(path, ExitCode::bad_input) && has_safetensors(path);
  } catch (const Error& error) {
    if (error.exit_code() != ExitCode::bad_input) throw;
    return false;
  }
}

constexpr auto convert = "convert them to safetensors, or download the safetensors of the model";
constexpr std::array other_weights = {
    OtherWeights{".gguf", "GGUF files", "give the safetensors checkpoint that they were made from"},
    OtherWeights{".bin", "PyTorch files", convert},
    OtherWeights{".pt", "PyTorch files", convert},
    OtherWeights{".pth", "PyTorch files", convert},
    OtherWeights{".ckpt", "PyTorch files", convert},
    OtherWeights{".distcp", "shards of a distributed PyTorch checkpoint", convert},
    OtherWeights{".npz", "NumPy files", convert},
    OtherWeights{".h5", "HDF5 files", convert},
    OtherWeights{".msgpack", "Flax files", convert},
    OtherWeights{".onnx", "ONNX files", convert},
};

}  // namespace

bool has_safetensors(const fs::path& folder) {
  return std::ranges::any_of(
      names_in_folder(folder, ExitCode::bad_input),
      [](const std::string& name) { return fs::path(name).extension() == ".safetensors"; });
}

void refuse_other_files(std::span<const std::byte> begin, const std::string& file) {
  const auto text = text_of(begin);
  if (const auto* other = other_text(text)) {
    throw Error(ExitCode::bad_input, file, other->what, other->remedy);
  }
  for (const auto& other : other_files) {
    if (text.starts_with(other.first_bytes)) {
      throw Error(ExitCode::bad_input, file, other.what, other.remedy);
    }
  }
}

void refuse_text(std::span<const std::byte> begin, const std::string& file) {
  refuse_other_files(begin, file);
  const auto stripped = without_blanks_in_front(text_of(begin));
  const auto text = stripped.empty() ? text_of(begin) : stripped;
  const bool is_text =
      std::ranges::all_of(text, [](char c) { return is_blank(c) || (c >= ' ' && c <= '~'); });
  if (!is_text) return;
  throw Error(ExitCode::bad_input, file,
              fmt::format("is text that begins with \"{}\", not safetensors", printable(text)),
              "download or copy the file again");
}

std::pair<std::string, std::string> what_is_instead(const fs::path& folder) {
  const auto names = names_in_folder(folder, ExitCode::bad_input);
  for (const auto& other : other_weights) {
    const auto found = std::ranges::find_if(names, [&](const std::string& name) {
      return fs::path(name).extension() == other.extension;
    });
    if (found == names.end()) continue;
    return {fmt::format("has no .safetensors files but {} ({}, ...)", other.what, *found),
            other.remedy};
  }
  constexpr std::size_t most = 5;
  std::vector<std::string> below;
  for (const auto& name : names) {
    if (below.size() < most && is_folder_with_safetensors(folder / name)) below.push_back(name);
  }
  if (!below.empty()) {
    return {fmt::format("has no .safetensors files; folders in it do ({})", fmt::join(below, ", ")),
            "name one of them"};
  }
  return {"has no .safetensors files",
          "give the directory of a safetensors checkpoint; other formats must be converted"};
}

}  // namespace moesweep::checkpoint
