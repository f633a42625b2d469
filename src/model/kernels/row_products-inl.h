// Products of float matrices in tiles that stay in registers, one copy per target.
#if defined(MOESWEEP_KERNELS_ROW_PRODUCTS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOESWEEP_KERNELS_ROW_PRODUCTS_INL_H
#undef MOESWEEP_KERNELS_ROW_PRODUCTS_INL_H
#else
#define MOESWEEP_KERNELS_ROW_PRODUCTS_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <utility>

#include <hwy/highway.h>

#include "row_product_call.hpp"

HWY_BEFORE_NAMESPACE();
namespace moesweep::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Rows of a tile. Two vectors a row accumulate: 16 of 32 registers with AVX-512, 8 of 16 elsewhere.
inline constexpr std::size_t tile_rows = HWY_MAX_BYTES >= 64 ? 8 : 4;

// Terms that are added before the next rows: the part of b they need stays in the second cache.
inline constexpr std::size_t block_terms = 128;

// Rows of op(a), `terms` long: element (r, k) is values[r * row_stride + k], or with rows side by
// side values[k * tile_rows + r].
struct TileRows {
  const float* values;
  std::size_t row_stride;
  std::size_t terms;
};

template <bool side_by_side>
HWY_INLINE float element(const TileRows& a, std::size_t r, std::size_t k) {
  return side_by_side ? a.values[k * tile_rows + r] : a.values[r * a.row_stride + k];
}

// Adds to the rows R... of c, one or two vectors wide.
template <bool side_by_side, bool has_second, class D, std::size_t... R>
HWY_INLINE void add_tile(D d, std::index_sequence<R...> /*rows*/, const TileRows& a,
                         const float* HWY_RESTRICT b, std::size_t ldb, float* HWY_RESTRICT c,
                         std::size_t ldc) {
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<D> first[] = {hn::LoadU(d, c + R * ldc)...};
  hn::Vec<D> second[] = {hn::LoadU(d, c + R * ldc + (has_second ? lanes : 0))...};
  for (std::size_t k = 0; k < a.terms; ++k) {
    const float* of_term = b + k * ldb;
    const auto b_first = hn::LoadU(d, of_term);
    const auto b_second = hn::LoadU(d, of_term + (has_second ? lanes : 0));
    const hn::Vec<D> factors[] = {hn::Set(d, element<side_by_side>(a, R, k))...};
    ((first[R] = hn::MulAdd(factors[R], b_first, first[R])), ...);
    if constexpr (has_second) ((second[R] = hn::MulAdd(factors[R], b_second, second[R])), ...);
  }
  (hn::StoreU(first[R], d, c + R * ldc), ...);
  if constexpr (has_second) (hn::StoreU(second[R], d, c + R * ldc + lanes), ...);
}

// All columns of some rows.
template <bool side_by_side, class Rows>
HWY_INLINE void add_rows(Rows rows, const TileRows& a, const float* HWY_RESTRICT b, std::size_t ldb,
                         float* HWY_RESTRICT c, std::size_t ldc, std::size_t columns) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> d_one;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t j = 0;
  for (; j + 2 * lanes <= columns; j += 2 * lanes) {
    add_tile<side_by_side, true>(d, rows, a, b + j, ldb, c + j, ldc);
  }
  for (; j + lanes <= columns; j += lanes) {
    add_tile<side_by_side, false>(d, rows, a, b + j, ldb, c + j, ldc);
  }
  for (; j < columns; ++j) {
    add_tile<side_by_side, false>(d_one, rows, a, b + j, ldb, c + j, ldc);
  }
}

inline void add_product_of(const RowProduct& p) {
  const std::make_index_sequence<tile_rows> whole_tile;
  const std::make_index_sequence<1> one_row;
  alignas(64) float side_by_side[block_terms * tile_rows];
  for (std::size_t k = 0; k < p.terms; k += block_terms) {
    const std::size_t terms = std::min(block_terms, p.terms - k);
    const float* b = p.b + k * p.ldb;
    for (std::size_t i = 0; i < p.rows;) {
      const std::size_t rows = i + tile_rows <= p.rows ? tile_rows : 1;
      float* c = p.c + i * p.ldc;
      if (p.is_transposed) {
        for (std::size_t t = 0; t < terms; ++t) {
          std::copy_n(p.a + (k + t) * p.lda + i, rows, side_by_side + t * tile_rows);
        }
        const TileRows a{side_by_side, 0, terms};
        if (rows == 1) {
          add_rows<true>(one_row, a, b, p.ldb, c, p.ldc, p.columns);
        } else {
          add_rows<true>(whole_tile, a, b, p.ldb, c, p.ldc, p.columns);
        }
      } else {
        const TileRows a{p.a + i * p.lda + k, p.lda, terms};
        if (rows == 1) {
          add_rows<false>(one_row, a, b, p.ldb, c, p.ldc, p.columns);
        } else {
          add_rows<false>(whole_tile, a, b, p.ldb, c, p.ldc, p.columns);
        }
      }
      i += rows;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace moesweep::kernels
HWY_AFTER_NAMESPACE();

#endif
