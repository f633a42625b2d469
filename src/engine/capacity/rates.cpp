#include <moesweep/engine/capacity/rates.hpp>

namespace moesweep::capacity {

Rates rates_from(const config::Settings& cluster) {
  return {.read_bytes_per_second_node = cluster.number("rates.read_bytes_per_second_node"),
          .gram_flops_per_core = cluster.number("rates.gram_flops_per_core"),
          .round_trips_per_second_core = cluster.number("rates.round_trips_per_second_core"),
          .moments_per_second_core = cluster.number("rates.moments_per_second_core"),
          .unit_overhead_seconds = cluster.number("rates.unit_overhead_seconds"),
          .read_bytes_per_second_total = cluster.number("rates.read_bytes_per_second_total"),
          .message_latency_seconds = cluster.number("rates.message_latency_seconds"),
          .publish_seconds = cluster.number("rates.publish_seconds")};
}

}  // namespace moesweep::capacity
