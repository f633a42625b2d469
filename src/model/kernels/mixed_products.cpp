#include "mixed_products.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "mixed_products.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h must come first.
#include <hwy/highway.h>

#include "mixed_products-inl.h"

#if HWY_ONCE

#include <cstddef>

#include <moesweep/core/base/error.hpp>

namespace moesweep::kernels {
namespace {

HWY_EXPORT(dot_pair);
HWY_EXPORT(add_scaled_pair);

void expect_room(std::size_t size, std::size_t first, std::size_t second) {
  expect(size <= first && size <= second, "mixed product: a vector is shorter than the row");
}

}  // namespace

Pair dot(std::span<const float> row, std::span<const double> first,
         std::span<const double> second) {
  expect_room(row.size(), first.size(), second.size());
  return HWY_DYNAMIC_DISPATCH(dot_pair)(row.data(), row.size(), first.data(), second.data());
}

void add_scaled(std::span<const float> row, Pair factors, std::span<double> first,
                std::span<double> second) {
  expect_room(row.size(), first.size(), second.size());
  HWY_DYNAMIC_DISPATCH(add_scaled_pair)
  (row.data(), row.size(), factors, first.data(), second.data());
}

}  // namespace moesweep::kernels

#endif  // HWY_ONCE
