#include <algorithm>
#include <map>

#include <moesweep/model/names/attention.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/allocation/prior.hpp>

namespace moesweep::allocation {
namespace {

using names::AttentionMatrix;

/// A predictor of more than the next token has a head of its own, which the output doesn't see.
bool is_outside_of_layers(const Tensor& tensor) {
  return names::layer_of(tensor.name) < 0 && !tensor.name.starts_with("mtp.");
}

bool is_output_head(const Tensor& tensor) {
  return tensor.role == "head" && tensor.shape.size() >= 2 && is_outside_of_layers(tensor);
}

bool is_token_embedding(const Tensor& tensor) {
  return tensor.role == "embedding" && tensor.shape.size() == 2 && is_outside_of_layers(tensor) &&
         names::is_token_embedding(tensor.name);
}

/// Of an encoder, or a decoder that classifies.
bool makes_something_else(const Tensor& tensor) {
  return tensor.role == "classifier" || tensor.role == "pooler";
}

/// A decoder's before others, then the largest: models that speak or see have several.
std::optional<std::size_t> word_embedding(std::span<const Tensor> tensors) {
  std::optional<std::size_t> best;
  const auto rank = [&](std::size_t i) {
    return std::pair(names::is_embedding_of_decoder(tensors[i].name), tensors[i].params());
  };
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!is_token_embedding(tensors[i])) continue;
    if (!best || rank(*best) < rank(i)) best = i;
  }
  return best;
}

/// The module that holds an attention's matrices: "model.layers.3.self_attn"; BERT's query and its
/// output.dense are one level further down.
std::string attention_of(const std::string& name) {
  for (const auto* module : {".attention.self.", ".attention.output."}) {
    const auto at = name.find(module);
    if (at != std::string::npos) return name.substr(0, at + std::string(".attention").size());
  }
  const auto leaf =
      name.ends_with(".weight") ? name.size() - std::string(".weight").size() : name.size();
  const auto dot = name.rfind('.', leaf - 1);
  return dot == std::string::npos ? std::string() : name.substr(0, dot);
}

/// What an attention's heads are wide together, by attention: the inputs of its output projection.
class Widths {
 public:
  explicit Widths(std::span<const Tensor> tensors) {
    for (const auto& tensor : tensors) {
      if (tensor.role != "attention" || tensor.shape.size() != 2) continue;
      if (names::attention_matrix_of(tensor.name) != AttentionMatrix::output) continue;
      widths_[attention_of(tensor.name)] = static_cast<double>(tensor.shape[1]);
    }
  }
  /// 0: unknown.
  double of(const Tensor& tensor) const {
    const auto found = widths_.find(attention_of(tensor.name));
    return found == widths_.end() ? 0.0 : found->second;
  }

 private:
  std::map<std::string, double> widths_;
};

/// Outputs of a matrix; of one that is stored [in, out] (GPT-2) too, when it has more than `least`.
double outputs_of(const Tensor& tensor, double least) {
  const auto rows = static_cast<double>(tensor.shape.front());
  return rows > least ? rows : static_cast<double>(tensor.shape.back());
}

ErrorFactor fused(const Tensor& tensor, double width, const PriorFactors& factors) {
  const double outputs = outputs_of(tensor, width);
  const bool is_known = width > 0.0 && width < outputs;
  const double query = is_known ? width / outputs : 1.0 / 3.0;
  const double rest = (1.0 - query) / 2.0;
  return {query * factors.query + rest * (factors.key + factors.value), "q, k and v in one"};
}

/// Qwen3.5's q_proj holds a gate for each query.
ErrorFactor query(const Tensor& tensor, double width, const PriorFactors& factors) {
  const bool has_gate = width > 0.0 && static_cast<double>(tensor.shape.front()) == 2.0 * width;
  if (has_gate && names::attention_matrix_of(tensor.name) == AttentionMatrix::query) {
    return {0.5 * (factors.query + 1.0), "q and its gate in one"};
  }
  return {factors.query, "q"};
}

ErrorFactor of_attention(const Tensor& tensor, double width, const PriorFactors& factors) {
  switch (names::attention_matrix_of(tensor.name)) {
    case AttentionMatrix::query:
      return query(tensor, width, factors);
    case AttentionMatrix::key:
      return {factors.key, "k"};
    case AttentionMatrix::value:
      return {factors.value, "v"};
    case AttentionMatrix::query_key_value:
      return fused(tensor, width, factors);
    case AttentionMatrix::key_value:
      return {0.5 * (factors.key + factors.value), "k and v in one"};
    case AttentionMatrix::output:
    case AttentionMatrix::other:
      break;
  }
  return {};
}

}  // namespace

std::optional<std::size_t> tied_embedding(std::span<const Tensor> tensors,
                                          const OutputFacts& facts) {
  if (facts.causal == false || facts.tied == false) return std::nullopt;
  const auto index = word_embedding(tensors);
  if (!index) return std::nullopt;
  const bool has_head = std::ranges::any_of(tensors, is_output_head);
  if (has_head && facts.tied != true) return std::nullopt;
  // Where nothing says that tokens are predicted, the name has to, and nothing else be made.
  const bool is_decoder = names::is_embedding_of_decoder(tensors[*index].name) &&
                          std::ranges::none_of(tensors, makes_something_else);
  return facts.causal.value_or(is_decoder) ? index : std::nullopt;
}

std::vector<ErrorFactor> prior_of(std::span<const Tensor> tensors, const OutputFacts& facts,
                                  const PriorFactors& factors) {
  const Widths widths(tensors);
  const auto tied = tied_embedding(tensors, facts);
  std::vector<ErrorFactor> prior;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& tensor = tensors[i];
    if (tied == i) {
      prior.push_back({factors.head, "embedding that is also the output head"});
    } else if (is_output_head(tensor)) {
      prior.push_back({factors.head, "output head"});
    } else if (tensor.role == "attention" && tensor.shape.size() == 2) {
      prior.push_back(of_attention(tensor, widths.of(tensor), factors));
    } else {
      prior.emplace_back();
    }
  }
  return prior;
}

}  // namespace moesweep::allocation
