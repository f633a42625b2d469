#include <array>
#include <utility>

#include <dlfcn.h>

#include <moesweep/kernels/isa.hpp>

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

}  // namespace

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
