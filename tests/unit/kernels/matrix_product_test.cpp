#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/model/kernels/matrix_product.hpp>

namespace moesweep::kernels {
namespace {

// Small integers: every product and sum is exact, in any order.
template <typename T>
std::vector<T> integers(std::int64_t count, std::int64_t seed) {
  std::vector<T> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<T>((i * 7 + seed * 5) % 11 - 5));
  }
  return values;
}

template <typename T>
T element(const std::vector<T>& matrix, Transpose op, std::int64_t stride, std::int64_t i,
          std::int64_t j) {
  return matrix[static_cast<std::size_t>(op == Transpose::yes ? j * stride + i : i * stride + j)];
}

template <typename T>
class MatrixProduct : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(MatrixProduct, Precisions);

TYPED_TEST(MatrixProduct, EqualsTheDefinitionForEveryTransposeStrideAndFactor) {
  using T = TypeParam;
  constexpr std::int64_t m = 5, n = 3, k = 4, gap = 2;
  for (const Transpose a_op : {Transpose::no, Transpose::yes}) {
    for (const Transpose b_op : {Transpose::no, Transpose::yes}) {
      const std::int64_t lda = (a_op == Transpose::yes ? m : k) + gap;
      const std::int64_t ldb = (b_op == Transpose::yes ? k : n) + gap;
      constexpr std::int64_t ldc = n + gap;
      const auto a = integers<T>((a_op == Transpose::yes ? k : m) * lda, 1);
      const auto b = integers<T>((b_op == Transpose::yes ? n : k) * ldb, 2);
      const auto before = integers<T>(m * ldc, 3);
      auto c = before;
      multiply(a_op, b_op, m, n, k, T{2}, a.data(), lda, b.data(), ldb, T{3}, c.data(), ldc);
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < ldc; ++j) {
          T expected = before[static_cast<std::size_t>(i * ldc + j)];
          if (j < n) {
            expected *= T{3};
            for (std::int64_t l = 0; l < k; ++l) {
              expected += T{2} * element(a, a_op, lda, i, l) * element(b, b_op, ldb, l, j);
            }
          }
          EXPECT_EQ(c[static_cast<std::size_t>(i * ldc + j)], expected) << i << ", " << j;
        }
      }
    }
  }
}

TYPED_TEST(MatrixProduct, ZeroBetaOverwritesWhatIsNotANumber) {
  using T = TypeParam;
  const std::vector<T> a{2};
  const std::vector<T> b{3};
  std::vector<T> c{std::numeric_limits<T>::quiet_NaN()};
  multiply(Transpose::no, Transpose::no, 1, 1, 1, T{1}, a.data(), 1, b.data(), 1, T{0}, c.data(),
           1);
  EXPECT_EQ(c.front(), T{6});
}

TYPED_TEST(MatrixProduct, AnEmptyProductLeavesNothingBehind) {
  using T = TypeParam;
  std::vector<T> c{4};
  multiply(Transpose::no, Transpose::no, 1, 1, 0, T{1}, nullptr, 0, nullptr, 1, T{1}, c.data(), 1);
  EXPECT_EQ(c.front(), T{4});
}

}  // namespace
}  // namespace moesweep::kernels
