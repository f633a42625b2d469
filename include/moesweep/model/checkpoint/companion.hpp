#pragma once
// The files beside the weights of a checkpoint: config.json, the index, tokenizer, chat template.
// They are small, and what is written from them is published. A link of a downloaded checkpoint
// that leads to a private file must therefore not be followed: unlike shards they never come from
// outside.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <moesweep/core/base/error.hpp>

namespace moesweep::checkpoint {

/// A file that a name of a folder stands for.
struct Companion {
  std::filesystem::path path;  ///< links followed
  /// It lies in the folder's tree or, where the folder is a snapshot of a Hugging Face cache
  /// (`<repository>/snapshots/<revision>`), in `<repository>/blobs`.
  bool is_inside = true;
};

/// Nothing where there is none, or a link to nothing. Error(bad_input) when it can't be followed,
/// or when `name` is empty, absolute, has a `.` or `..` component or control characters.
std::optional<Companion> find_companion(const std::filesystem::path& folder,
                                        const std::string& name);

/// The error of one that lies outside.
Error outside_error(const std::filesystem::path& folder, const std::string& name,
                    const Companion& companion);

/// Beyond what any config.json has.
inline constexpr std::uint64_t most_companion_text = std::uint64_t{64} << 20;

/// The text of one, nothing where there is none. Error(bad_input) when it lies outside, is not a
/// regular file or has more than most_companion_text bytes.
std::optional<std::string> read_companion(const std::filesystem::path& folder,
                                          const std::string& name);

}  // namespace moesweep::checkpoint
