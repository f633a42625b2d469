#pragma once
// Integer conversions and products that cannot lose a bit unnoticed. Sizes are 64-bit everywhere.

#include <cstdint>
#include <optional>
#include <utility>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/source_place.hpp>

namespace moesweep {

/// `value` as `To`; a value that does not fit is a bug (check user input before).
template <typename To, typename From>
constexpr To checked_cast(From value, SourcePlace place = SourcePlace::current()) {
  if (!std::in_range<To>(value)) bug("integer conversion loses bits", place);
  return static_cast<To>(value);
}

/// a*b, or nothing when it overflows: for sizes that come from a file.
constexpr std::optional<std::uint64_t> checked_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// a+b, or nothing when it overflows.
constexpr std::optional<std::uint64_t> checked_sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

}  // namespace moesweep
