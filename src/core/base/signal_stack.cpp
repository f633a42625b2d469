#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>

#include <pthread.h>

#include <moesweep/core/base/signal_stack.hpp>

namespace moesweep {
namespace {

constexpr std::size_t stack_bytes = std::size_t{1} << 16;  // a backtrace takes a fifth of it

// The kernel signals a fault in the guard pages, and a large frame may reach past them.
constexpr std::uintptr_t reach_bytes = std::uintptr_t{1} << 20;

std::uintptr_t lowest_stack_address() {
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return 0;
  void* lowest = nullptr;
  std::size_t bytes = 0;
  const bool known = ::pthread_attr_getstack(&attributes, &lowest, &bytes) == 0;
  ::pthread_attr_destroy(&attributes);
  return known ? reinterpret_cast<std::uintptr_t>(lowest) : 0;
}

class SignalStack {
 public:
  SignalStack() : lowest_of_thread_(lowest_stack_address()) {
    stack_t stack{};
    stack.ss_sp = bytes_.data();
    stack.ss_size = bytes_.size();
    ::sigaltstack(&stack, nullptr);  // fails only where there is one in use
  }
  ~SignalStack() {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

  bool is_just_below(std::uintptr_t address) const {
    return lowest_of_thread_ != 0 && address >= lowest_of_thread_ - reach_bytes &&
           address < lowest_of_thread_ + reach_bytes / 16;
  }

 private:
  std::uintptr_t lowest_of_thread_;
  alignas(std::max_align_t) std::array<std::byte, stack_bytes> bytes_;
};

thread_local const SignalStack* stack_of_this_thread = nullptr;

}  // namespace

void use_signal_stack() {
  thread_local const SignalStack stack;
  stack_of_this_thread = &stack;
}

bool is_below_this_stack(const void* address) {
  return stack_of_this_thread != nullptr &&
         stack_of_this_thread->is_just_below(reinterpret_cast<std::uintptr_t>(address));
}

}  // namespace moesweep
