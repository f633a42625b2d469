#pragma once
// What a core, a node's storage and its network do a second. The only table of defaults: `run`,
// `plan` and cluster profiles that name no rates all reckon with it.

#include <moesweep/core/config/settings.hpp>

namespace moesweep::capacity {

/// Defaults are cautious: a seventh to a fourteenth of what an idle core with AVX-512 does
/// (docs/scaling.md has the figures), one disk, one file system for all nodes. They are for plans
/// before anything is measured; a profile with measured rates is better.
struct Rates {
  /// Bytes a second that one node reads.
  double read_bytes_per_second_node = 1e9;
  /// Float32 operations a second of a Gram matrix and its eigenvalues, one core.
  double gram_flops_per_core = 1e10;
  /// Weights x quantizers a second, one core.
  double round_trips_per_second_core = 8e8;
  /// Weights a second through the moments, one core.
  double moments_per_second_core = 6e8;
  /// Seconds that a unit costs beside reading and arithmetic.
  double unit_overhead_seconds = 1e-3;
  /// Bytes a second that all nodes together read.
  double read_bytes_per_second_total = 1e9;
  /// Seconds from sending a message between ranks to handling it.
  double message_latency_seconds = 1e-3;
  /// Seconds to encode, fsync and rename one segment of results.
  double publish_seconds = 0.1;
};

/// Of a profile, defaults where it names none.
Rates rates_from(const config::Settings& cluster);

}  // namespace moesweep::capacity
