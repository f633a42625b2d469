#pragma once
// The cells of an analysis, looked up by model, level and metric.

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <moesweep/core/records/quality.hpp>
#include <moesweep/core/stats/summary.hpp>
#include <moesweep/core/stats/two_proportions.hpp>

namespace moesweep::quality {

struct Level {
  std::string name;
  double bits_per_weight = 0.0;
  bool is_baseline = false;
};

class Study {
 public:
  /// Cells in the order of normalize().
  explicit Study(std::vector<records::CellRow> cells);
  Study(const Study&) = delete;  // the index points into the cells
  Study& operator=(const Study&) = delete;

  const std::vector<records::CellRow>& cells() const { return cells_; }
  const std::vector<std::string>& models() const { return models_; }
  /// In the order of the cells: baseline first.
  const std::vector<Level>& levels(const std::string& model) const { return levels_.at(model); }
  /// Metrics of a role, in order.
  const std::vector<std::string>& metrics(const std::string& role) const;
  /// Null when the cell was not measured.
  const records::CellRow* find(const std::string& model, const std::string& level,
                               const std::string& metric) const;
  const records::CellRow* baseline(const std::string& model, const std::string& metric) const;
  /// Are all values of the metric shares of yes/no answers?
  bool is_yes_no(const std::string& metric) const;

 private:
  std::vector<records::CellRow> cells_;
  std::vector<std::string> models_;
  std::map<std::string, std::vector<Level>> levels_;
  std::map<std::string, std::vector<std::string>> metrics_;
  std::map<std::tuple<std::string, std::string, std::string>, const records::CellRow*> index_;
};

/// Is it a share whose count is known?
bool is_counted(const records::CellRow& cell);
/// Of a share whose count is known.
stats::Count count_of(const records::CellRow& cell);
/// What tests of means need to know of a cell: that of its count, or mean and standard deviation.
/// Count 0 when neither is known.
stats::Summary summary_of(const records::CellRow& cell);

/// Why no test of its mean or share can be made, `which` being the sentence's subject; empty when
/// one can. A share needs its count. A mean needs its standard deviation, three samples (two do not
/// tell how far a third would be) and that they differ: agreement of some says nothing of others.
std::string why_untested(const records::CellRow& cell, const std::string& which);

}  // namespace moesweep::quality
