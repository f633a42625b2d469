#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/core/base/philox.hpp>
#include <moesweep/model/kernels/row_products.hpp>

#include "every_isa.hpp"

namespace moesweep::kernels {
namespace {

std::vector<float> drawn(std::int64_t count, std::uint32_t stream) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto words = philox4x32_10({static_cast<std::uint32_t>(i), 0, 0, stream}, {5, 0});
    values.push_back(static_cast<float>(words[0]) * 0x1p-31F - 1.0F);
  }
  return values;
}

struct Product {
  Transpose a_op;
  std::int64_t m, n, k;
  std::int64_t gap = 0;

  std::int64_t lda() const { return (a_op == Transpose::yes ? m : k) + gap; }
  std::int64_t ldb() const { return n + gap; }
  std::vector<float> a() const { return drawn((a_op == Transpose::yes ? k : m) * lda(), 1); }
  std::vector<float> b() const { return drawn(k * ldb(), 2); }
  std::vector<float> c() const { return drawn(m * ldb(), 3); }

  std::vector<float> by_kernel() const {
    auto out = c();
    add_product(a_op, m, n, k, a().data(), lda(), b().data(), ldb(), out.data(), ldb());
    return out;
  }
  // In the same order, one fused multiply-add a term.
  std::vector<float> by_definition() const {
    const auto a_values = a();
    const auto b_values = b();
    auto out = c();
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        float& sum = out[static_cast<std::size_t>(i * ldb() + j)];
        for (std::int64_t t = 0; t < k; ++t) {
          const auto at = a_op == Transpose::yes ? t * lda() + i : i * lda() + t;
          sum = std::fma(a_values[static_cast<std::size_t>(at)],
                         b_values[static_cast<std::size_t>(t * ldb() + j)], sum);
        }
      }
    }
    return out;
  }
};

// Around the sizes of tiles, vectors and blocks.
const std::vector<Product> products = {
    {Transpose::no, 64, 256, 300},   {Transpose::yes, 64, 256, 31},
    {Transpose::no, 13, 71, 129, 3}, {Transpose::yes, 13, 71, 129, 3},
    {Transpose::no, 1, 3, 5},        {Transpose::yes, 9, 1, 2, 1},
    {Transpose::no, 8, 32, 128},     {Transpose::yes, 8, 33, 1}};

TEST(RowProducts, EqualTheDefinitionOnEveryInstructionSet) {
  on_every_isa([] {
    for (const auto& product : products) {
      SCOPED_TRACE(testing::Message() << product.m << " x " << product.n << " x " << product.k);
      const auto expected = product.by_definition();
      const auto actual = product.by_kernel();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(actual[i], expected[i], 1e-6F * static_cast<float>(product.k + 1)) << i;
      }
    }
  });
}

TEST(RowProducts, DoNotDependOnTheWidthOfVectors) {
  // Targets before AVX2 round after the product and after the sum.
  int compared = 0;
  for (const auto& isa : available_isas()) {
    if (!isa.starts_with("AVX") && !isa.starts_with("NEON")) continue;
    SCOPED_TRACE(isa);
    pin_isa(isa);
    for (const auto& product : products) EXPECT_EQ(product.by_kernel(), product.by_definition());
    ++compared;
  }
  pin_isa("native");
  if (compared == 0) GTEST_SKIP() << "this machine has no fused multiply-add";
}

TEST(RowProducts, AreTheSameInPieces) {
  const Product whole{Transpose::yes, 40, 48, 64};
  auto pieces = whole.c();
  const auto a = whole.a();
  const auto b = whole.b();
  for (std::int64_t i = 0; i < whole.m; i += 5) {
    add_product(Transpose::yes, 5, whole.n, whole.k, a.data() + i, whole.lda(), b.data(),
                whole.ldb(), pieces.data() + i * whole.ldb(), whole.ldb());
  }
  EXPECT_EQ(pieces, whole.by_kernel());
}

TEST(RowProducts, OfNoTermsChangeNothing) {
  const Product none{Transpose::no, 4, 20, 0};
  EXPECT_EQ(none.by_kernel(), none.c());
}

}  // namespace
}  // namespace moesweep::kernels
