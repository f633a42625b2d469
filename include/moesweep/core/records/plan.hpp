#pragma once
// A quantization plan: how each tensor of a checkpoint is to be stored.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

/// One tensor of the checkpoint, under its Hugging Face name.
struct PlanRow {
  std::string tensor;
  std::string shape;  ///< "512x2048x4096"
  std::string dtype;
  std::string role;
  /// The decision it is part of: tensors of one module are stored alike. Empty when not quantized.
  std::string module;
  std::string action;     ///< quantize, keep (as it is), drop (the runtime has no place for it)
  std::string quantizer;  ///< affine, ct_int4, q4_k, ...; empty unless quantized
  std::int32_t bits = 0;  ///< of one code; of one element when kept, 0 when dropped
  std::int32_t group_size = 0;  ///< weights that share a scale; 0 unless quantized
  std::int64_t params = 0;
  std::int64_t bytes = 0;  ///< stored, with scales and biases, without file headers
  double sse = std::numeric_limits<double>::quiet_NaN();          ///< expected, from the sweep
  double sum_squares = std::numeric_limits<double>::quiet_NaN();  ///< squared Frobenius norm
  std::string
      term;  ///< what the objective counts once: layer and projection of experts, or the tensor
  double alpha = std::numeric_limits<double>::quiet_NaN();  ///< factor on the term's relative error
  std::string reason;                                       ///< why it is so
};

/// Sizes of "512x2048"; none of an empty text. Error(bad_input) naming the tensor for anything
/// else.
std::vector<std::int64_t> shape_of(const PlanRow& row);

/// The checkpoint that a plan is for, as far as that can be told without where it lies.
struct PlanSource {
  std::string name = {};        ///< of its folder or file, without those above; empty: it had none
  std::string model_type = {};  ///< that its config.json names; empty: none
  std::int64_t params = 0;      ///< of all tensors
  std::int64_t bytes = 0;       ///< of all tensors, as they are stored there
};

/// How a plan came about.
struct PlanMaking {
  std::string command = {};  ///< as a shell reads it: "moesweep allocate run --target 5bpw"
  std::string version = {};  ///< of moesweep
  std::string date = {};     ///< UTC, ISO 8601: "2026-11-30T12:03:19Z"
};

/// All tensors of a checkpoint, sorted by name. What a plan of an earlier schema doesn't say is
/// empty, 0 or nothing.
struct Plan {
  std::string method;          ///< "budget", "uniform", "swan", "floor"
  std::string runtime;         ///< whose storage and names it is made for: mlx, gguf, vllm
  std::string architecture;    ///< family whose names the tensors have; "generic": they stay
  std::string source_headers;  ///< XXH3-128 over names, dtypes and shapes of the checkpoint, hex
  std::int64_t bytes = 0;      ///< of all files with weights, headers included
  /// Where `alpha` is from when nothing else says it: "role" or "none". Empty: a plan of 0.2, which
  /// has no alpha.
  std::string prior;
  /// names::Architecture::quantizable that it was made with.
  std::vector<std::string> quantizable;
  /// What config.json of the checkpoint says beside its type; 0 and nothing where it is silent.
  std::int64_t layers = 0;
  std::int64_t experts = 0;  ///< routed, of a layer
  std::optional<bool> tied_embeddings = {};
  /// Name components that mark stacks of experts: what the sweep's groups ran along depends on
  /// them. Nothing: a plan of before schema 3.
  std::optional<std::vector<std::string>> expert_patterns = {};
  PlanSource source = {};
  PlanMaking made = {};
  std::vector<PlanRow> rows;
};

template <>
struct TableOf<PlanRow> {
  using Row = PlanRow;
  static constexpr auto name = "allocation/plan";
  static constexpr auto description = "How each tensor of the checkpoint is to be stored";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"tensor", &Row::tensor, "", "Tensor name"},
      Column{"shape", &Row::shape, "", "Sizes, outermost first, joined by x"},
      Column{"dtype", &Row::dtype, "", "Element type of the original"},
      Column{"role", &Row::role, "", "What the tensor is for"},
      Column{"module", &Row::module, "", "Tensors of one module are stored alike"},
      Column{"action", &Row::action, "", "quantize, keep or drop"},
      Column{"quantizer", &Row::quantizer, "", "Family (affine) or block format"},
      Column{"bits", &Row::bits, "bit", "Of one code; of one element when kept"},
      Column{"group_size", &Row::group_size, "1", "Weights that share a scale"},
      Column{"params", &Row::params, "1", "Number of elements"},
      Column{"bytes", &Row::bytes, "B", "Stored, with scales and biases, without file headers"},
      Column{"sse", &Row::sse, "1", "Expected sum of squared errors"},
      Column{"sum_squares", &Row::sum_squares, "1", "Squared Frobenius norm"},
      Column{"term", &Row::term, "",
             "What the objective counts once: an expert projection, or the tensor"},
      Column{"alpha", &Row::alpha, "1", "Factor on the relative squared error of the term"},
      Column{"reason", &Row::reason, "", "Why"},
  };
};

}  // namespace moesweep::records
