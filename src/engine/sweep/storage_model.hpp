#pragma once
// What a unit does to the storage of a virtual cluster, and the storage to it.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <moesweep/engine/sweep/plan.hpp>
#include <moesweep/engine/sweep/simulate.hpp>

namespace moesweep::sweep {

// More blocks than this would cost time and change nothing.
inline constexpr std::int64_t most_blocks = 256;

inline std::int64_t blocks_of(const Cost& cost, const Machine& machine) {
  return std::clamp<std::int64_t>(cost.bytes_read / machine.read_block_bytes, 1, most_blocks);
}

inline double compute_seconds(const Cost& cost, const Machine& machine) {
  const double reading = static_cast<double>(cost.bytes_read) / machine.estimate_bytes_per_second;
  return std::max(cost.seconds_estimate - reading, 0.0);
}

/// Two servers in the order of requests: the node's link and the file system behind all of them.
class StorageModel {
 public:
  explicit StorageModel(const Machine& machine)
      : node_speed_(machine.node_bytes_per_second),
        total_speed_(machine.total_bytes_per_second),
        node_free_(static_cast<std::size_t>((machine.ranks + machine.ranks_per_node - 1) /
                                            machine.ranks_per_node)) {}

  /// When a block that is asked for `now` has arrived.
  double read(std::size_t node, double bytes, double now) {
    if (bytes <= 0.0) return now;
    node_free_[node] = std::max(node_free_[node], now) + bytes / node_speed_;
    total_free_ = std::max(total_free_, now) + bytes / total_speed_;
    return std::max(node_free_[node], total_free_);
  }

 private:
  double node_speed_;
  double total_speed_;
  std::vector<double> node_free_;
  double total_free_ = 0.0;
};

}  // namespace moesweep::sweep
