#include <moesweep/model/kernels/row_products.hpp>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "row_products.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h must come first.
#include <hwy/highway.h>

#include "row_products-inl.h"

#if HWY_ONCE

#include <moesweep/core/base/cast.hpp>

namespace moesweep::kernels {
namespace {

HWY_EXPORT(add_product_of);

}  // namespace

void add_product(Transpose a_op, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                 std::int64_t lda, const float* b, std::int64_t ldb, float* c, std::int64_t ldc) {
  const auto size = [](std::int64_t value) { return checked_cast<std::size_t>(value); };
  HWY_DYNAMIC_DISPATCH(add_product_of)
  (RowProduct{a_op == Transpose::yes, size(m), size(n), size(k), a, size(lda), b, size(ldb), c,
              size(ldc)});
}

}  // namespace moesweep::kernels

#endif  // HWY_ONCE
