#pragma once
// Memory for matrices that BLAS reads.

#include <cstdint>
#include <memory>
#include <new>

#include <moesweep/core/base/cast.hpp>

namespace moesweep::kernels {

inline constexpr std::align_val_t buffer_alignment{64};

struct AlignedDelete {
  void operator()(void* values) const { ::operator delete(values, buffer_alignment); }
};

/// Of arithmetic values, which need no destructor.
template <typename Value>
using AlignedBuffer = std::unique_ptr<Value[], AlignedDelete>;

/// `elements` values, not initialized.
template <typename Value>
AlignedBuffer<Value> allocate_aligned(std::int64_t elements) {
  const auto bytes = checked_cast<std::size_t>(elements) * sizeof(Value);
  return AlignedBuffer<Value>(static_cast<Value*>(::operator new(bytes, buffer_alignment)));
}

}  // namespace moesweep::kernels
