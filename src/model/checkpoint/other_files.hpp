#pragma once
// What lies where safetensors are expected, when it is something else.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace moesweep::checkpoint {

/// Error(bad_input) when a file begins like one of another kind (Git LFS pointers, web pages, GGUF,
/// PyTorch, ...), saying which and what to do. `begin` are its first bytes, 8 are enough.
void refuse_other_files(std::span<const std::byte> begin, const std::string& file);

/// The same, and any text: for bytes that are certainly no header.
void refuse_text(std::span<const std::byte> begin, const std::string& file);

/// A file of that extension is in the folder itself.
bool has_safetensors(const std::filesystem::path& folder);

/// Problem and remedy for a folder without .safetensors files, by what is there instead.
std::pair<std::string, std::string> what_is_instead(const std::filesystem::path& folder);

}  // namespace moesweep::checkpoint
