#pragma once
// The rate-distortion table, pooled and sorted. It can have millions of rows, so it is sorted as
// indices and copied once, column by column.

#include <functional>
#include <map>
#include <span>
#include <string>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>

namespace moesweep::sensitivity {

/// Which tensors get pooled rows: those with every slice measured.
using Poolable = std::map<std::string, bool, std::less<>>;

struct PooledDistortion {
  records::Table table;  ///< by tensor, slice (-1, the pooled one, first), quantizer as listed
  std::map<std::string, double, std::less<>> reference_sse;  ///< pooled, where it is listed
};

/// `poolable` has every tensor of `measured`.
PooledDistortion pool_distortion(const records::Table& measured, const Poolable& poolable,
                                 const Options& options);

}  // namespace moesweep::sensitivity
