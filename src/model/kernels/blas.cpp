#include <array>
#include <mutex>
#include <utility>

#include <dlfcn.h>

#include <moesweep/model/kernels/isa.hpp>

#include "blas_call.hpp"

namespace moesweep::kernels {
namespace {

// OpenBLAS tells about itself by functions that the reference BLAS does not have, so that the
// question is asked at run time, of whatever library was loaded.
std::string ask_openblas(const char* function) {
  void* symbol = dlsym(RTLD_DEFAULT, function);
  if (symbol == nullptr) return {};
  const char* answer = reinterpret_cast<const char* (*)()>(symbol)();
  return answer == nullptr ? std::string() : std::string(answer);
}

// Nothing happens where the loaded library lacks the function.
void tell(const char* function, int value) {
  if (void* symbol = dlsym(RTLD_DEFAULT, function)) reinterpret_cast<void (*)(int)>(symbol)(value);
}

struct Threading {
  Threading() {
    tell("openblas_set_num_threads", 1);
    tell("MKL_Set_Num_Threads", 1);
    tell("bli_thread_set_num_threads", 1);
    is_reentrant = ask_openblas("openblas_get_config").find("SINGLE_THREADED") == std::string::npos;
  }
  bool is_reentrant;
  std::mutex mutex;
};

// The library is one for the process, and so is its lock.
Threading& threading() {
  static Threading state;
  return state;
}

}  // namespace

BlasCall::BlasCall() {
  if (!threading().is_reentrant) alone_.emplace(threading().mutex);
}

bool blas_is_reentrant() {
  return threading().is_reentrant;
}

std::string blas_description() {
  const std::string config = ask_openblas("openblas_get_config");
  if (config.empty()) return "BLAS (library unknown)";
  const std::string core = ask_openblas("openblas_get_corename");
  return core.empty() || config.find(core) != std::string::npos ? config : config + " " + core;
}

std::string blas_coretype_for(const std::string& isa) {
  constexpr std::array<std::pair<const char*, const char*>, 6> kernels = {{
      {"SSSE3", "Core2"},
      {"SSE4", "Nehalem"},
      {"AVX2", "Haswell"},
      {"AVX3", "SkylakeX"},
      {"AVX3_DL", "SkylakeX"},
      {"AVX3_ZEN4", "SkylakeX"},
  }};
  for (const auto& [name, coretype] : kernels) {
    if (isa == name) return coretype;
  }
  return {};
}

}  // namespace moesweep::kernels
