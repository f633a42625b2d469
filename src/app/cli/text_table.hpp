#pragma once

#include <string>
#include <vector>

namespace moesweep::cli {

/// Columns padded to their widest cell; numbers (cells that start with a digit or sign and hold no
/// colon) to the right.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace moesweep::cli
