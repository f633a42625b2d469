#pragma once
// AddressSanitizer and ThreadSanitizer bring an allocator of their own and reserve terabytes of
// addresses: under them neither operator new nor the address space is ours.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MOESWEEP_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MOESWEEP_SANITIZED 1
#endif
#endif
#ifndef MOESWEEP_SANITIZED
#define MOESWEEP_SANITIZED 0
#endif

namespace moesweep {
inline constexpr bool is_sanitized = MOESWEEP_SANITIZED != 0;
}  // namespace moesweep
