#pragma once
// What config.json says of a checkpoint's tensors. It is believed where it speaks and may be
// silent.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace moesweep::source {

/// How config.json says that weights are stored.
struct DeclaredStorage {
  std::string place = {};   ///< "quantization_config of config.json"
  std::string method = {};  ///< "fp8", "gptq", "mlx"; empty when it is not named
  /// Of all modules; 0 when it is not said, or differs between modules.
  std::int64_t bits = 0;
  std::int64_t group_size = 0;
  bool is_sparse = false;        ///< only weights that are not 0 are stored (sparsity_config)
  bool rotates_weights = false;  ///< stored weights are transformed (transform_config)
};

struct ModelConfig {
  bool is_there = false;            ///< a config.json, readable or not
  std::string model_type = {};      ///< empty when unknown
  std::int64_t layers = 0;          ///< num_hidden_layers; 0: unknown
  std::int64_t experts = 0;         ///< routed experts of a layer; 0: none or unknown
  std::int64_t hidden_size = 0;     ///< 0: unknown
  std::optional<bool> tied = {};    ///< tie_word_embeddings, when it is said
  std::optional<bool> causal = {};  ///< does an architecture that it lists predict tokens?
  std::optional<DeclaredStorage> storage = {};
  /// Why there is nothing of it, when a file is there that cannot be read: "is not a JSON object".
  std::string unreadable = {};
  /// The first count that is none, and therefore unknown: "num_hidden_layers is not a count".
  std::string misfit = {};
};

/// From config.json (a nested text_config wins) and hf_quant_config.json of `folder`; what is not
/// there or of another type is unknown, as is a config.json that is a link out of the folder. Error
/// (io_error, bad_input) for what checkpoint::read_companion refuses else.
ModelConfig read_model_config(const std::filesystem::path& folder);

/// From the texts of the two files; empty for one that is not there.
ModelConfig model_config_from(const std::string& config, const std::string& quantization);

}  // namespace moesweep::source
