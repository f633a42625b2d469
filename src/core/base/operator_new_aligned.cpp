// As operator_new.cpp, for types that are aligned more strictly than malloc's memory.

#include <cstdlib>
#include <new>

#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/sanitizers.hpp>

#if !MOESWEEP_SANITIZED
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  // aligned_alloc asks for a multiple of the alignment.
  const auto rounded = (bytes + step - 1) / step * step;
  if (rounded >= bytes) {
    if (void* memory = std::aligned_alloc(step, rounded == 0 ? step : rounded)) return memory;
  }
  throw moesweep::OutOfMemory(bytes);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
#endif
