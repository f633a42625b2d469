#pragma once
// Finds options by key, and the key that was meant by one that does not exist.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/config/option.hpp>

namespace moesweep::config {

/// "sensitivity.weights.svd" -> "sensitivity.weights"; "" for a key at the top level.
std::string_view table_of(std::string_view key);
/// "sensitivity.weights.svd" -> "svd".
std::string_view leaf_of(std::string_view key);

class OptionIndex {
 public:
  /// Points into `options`, which must outlive it.
  explicit OptionIndex(std::span<const Option> options);
  /// Only the keys that `kind` knows.
  OptionIndex(std::span<const Option> options, std::string_view kind);

  const Option* find(std::string_view key) const;
  /// True for "sensitivity" and "sensitivity.weights" when "sensitivity.weights.svd" is an option.
  bool is_table(std::string_view key) const;
  /// Throws Error(bad_job): unknown, with the nearest valid key or the keys of its table.
  [[noreturn]] void refuse_unknown(std::string_view key, std::string place) const;

 private:
  std::string remedy_for(std::string_view key) const;

  std::vector<const Option*> options_;
};

/// True when a job of this kind knows the key.
bool knows_kind(const Option& option, std::string_view kind);

}  // namespace moesweep::config
