#pragma once
// The cells of an analysis, looked up by model, level and metric.

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <moesweep/records/quality.hpp>
#include <moesweep/stats/summary.hpp>

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

 private:
  std::vector<records::CellRow> cells_;
  std::vector<std::string> models_;
  std::map<std::string, std::vector<Level>> levels_;
  std::map<std::string, std::vector<std::string>> metrics_;
  std::map<std::tuple<std::string, std::string, std::string>, const records::CellRow*> index_;
};

/// What tests need to know of a cell: counts of a share (rounded to whole samples), or mean and
/// standard deviation. Count 0 when neither is known.
stats::Summary summary_of(const records::CellRow& cell);

}  // namespace moesweep::quality
