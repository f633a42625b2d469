#pragma once
// Regular expressions for sets of modules, such that each matches its modules and nothing else.

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moesweep::handoff {

/// `text` as a regular expression that matches it alone (Python's `re` and ECMAScript).
std::string escaped(std::string_view text);

/// A module, taken apart at the index of its layer.
struct LayerModule {
  std::string stem;   ///< "model.layers"; the whole name when there is no layer
  std::string layer;  ///< "17"; empty when there is none
  std::string
      rest;  ///< regular expression of what follows the layer, "mlp\.down_proj", or the stem
};

/// At the first index that is none of an expert.
LayerModule layer_module(std::string_view module);

/// Few patterns for the modules: layers with the same set of modules share one, as alternatives of
/// numbers. `stem` makes a regular expression of a stem. All match only whole names.
std::vector<std::string> patterns_of(
    const std::vector<LayerModule>& modules,
    const std::function<std::string(std::string_view)>& stem = escaped);

}  // namespace moesweep::handoff
