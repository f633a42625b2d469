#pragma once
// What a quantized checkpoint holds, module by module, from headers and config.json alone.
//
//   MLX                 <module>.weight u32 [.., K*bits/32], .scales [.., K/group], .biases;
//                       config.json: quantization, exact module paths, else the globals (mlx-lm)
//   compressed-tensors  <module>.weight_packed i32 [N, ceil(K / (32/bits))], .weight_scale,
//                       .weight_shape, .weight_zero_point; config.json: quantization_config
//   GGUF                tensor infos of the header (gguf_header.hpp), of one file or all of a split
//   plain               any other safetensors checkpoint: nothing is quantized

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/formats/encoding.hpp>

namespace moesweep::found {

enum class Format : std::uint8_t { mlx, compressed_tensors, gguf, plain };
std::string_view format_name(Format format);

struct FoundModule {
  /// Path of the module: the tensor's name without ".weight"; any other tensor under its full name.
  std::string name;
  std::string element;  ///< stored element: "bf16", "u32", "q4_k"
  /// Its quantizer as formats::Format::stored_as has it, or what a file calls another.
  formats::Encoding encoding{.bits = 0};
  std::vector<std::int64_t> shape;  ///< of the weights it stands for, outermost first
  std::int64_t bytes = 0;           ///< with scales and biases
  /// MLX only, 0 otherwise: last sizes of codes and scales. They alone don't tell bits from group
  /// (4 bits in 64s is 8 bits in 32s of a matrix half as wide), together with the columns they do.
  std::int64_t code_columns = 0;
  std::int64_t scale_columns = 0;
  std::string problem;  ///< why a runtime would load it wrongly or not at all; empty when sound

  bool is_quantized() const { return !encoding.keeps(); }
};

struct Found {
  Format format = Format::plain;
  std::vector<FoundModule> modules = {};  ///< sorted by name
  std::vector<std::string> unused = {};   ///< modules that config.json speaks of and nobody has
  std::int64_t bytes = 0;                 ///< of all files with weights, headers included
};

/// Recognizes the format: *.gguf by name, the others by config.json and by the tensors' names.
/// Error(bad_input), naming file and tensor, for anything malformed.
Found find_modules(const std::filesystem::path& path);

/// The same for one format each. `config` is checkpoint::config_text.
Found find_mlx(const checkpoint::Checkpoint& checkpoint, const std::string& config);
/// Reads the two numbers of every weight_shape.
Found find_compressed_tensors(const checkpoint::Checkpoint& checkpoint, const std::string& config);
/// A file, any file of a split (`-00001-of-00003.gguf`; the others must be there), or a folder with
/// one of these.
Found find_gguf(const std::filesystem::path& path);
Found find_plain(const checkpoint::Checkpoint& checkpoint);

}  // namespace moesweep::found
