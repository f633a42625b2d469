// The language's own operator new does not tell how much was asked for. Apart from the aligned
// ones, which a program may replace for itself. The sanitizers bring theirs.

#include <cstdlib>
#include <new>

#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/sanitizers.hpp>

#if !MOESWEEP_SANITIZED
void* operator new(std::size_t bytes) {
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw moesweep::OutOfMemory(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif
