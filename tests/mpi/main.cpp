// GoogleTest inside an MPI session: fails on every rank when it fails on one.

#include <memory>

#include <gtest/gtest.h>

#include <moesweep/core/base/sanitizers.hpp>

#include "mpi/ranks.hpp"

#if MOESWEEP_SANITIZED
// Open MPI unloads its components at the end. What they have left is then of a module without a
// name, which tests/sanitizers/leaks.txt can't tell from ours: they stay loaded.
extern "C" int dlclose(void* module) {
  return module == nullptr ? -1 : 0;
}
#endif

namespace moesweep::test {
namespace {

std::unique_ptr<comm::Session>& the_session() {
  static std::unique_ptr<comm::Session> session;
  return session;
}

}  // namespace

comm::Session& session() {
  return *the_session();
}

}  // namespace moesweep::test

int main(int argc, char** argv) {
  using moesweep::test::the_session;
  ::testing::InitGoogleTest(&argc, argv);
  the_session() = moesweep::comm::open_session();
  int result = RUN_ALL_TESTS();
  std::string verdict;
  for (const auto& one : moesweep::test::session().gather(std::to_string(result))) {
    if (one != "0") verdict = "failed";
  }
  if (!moesweep::test::session().share(verdict).empty()) result = 1;
  the_session().reset();
  return result;
}
