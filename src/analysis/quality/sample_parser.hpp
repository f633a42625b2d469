#pragma once
// One line of JSON to one sample.

#include <cstdint>
#include <memory>
#include <string_view>

#include "line_reader.hpp"

namespace moesweep::quality {

/// Texts are valid until the next line is parsed.
struct Sample {
  std::string_view model;
  std::string_view level;
  std::string_view task;
  std::string_view metric;
  std::string_view id;     ///< of the sample, empty when not told; integers as written
  double score = 0.0;      ///< NaN: missing
  double coherence = 0.0;  ///< NaN: not told
  std::int64_t tokens = 0;
};

class SampleParser {
 public:
  SampleParser();
  ~SampleParser();

  /// `reader` has just given `line`. False for an empty line; Error(bad_input) for what is no
  /// sample.
  bool parse(std::string_view line, const LineReader& reader, Sample& sample);

 private:
  struct Json;
  std::unique_ptr<Json> json_;
};

}  // namespace moesweep::quality
