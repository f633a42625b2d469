// LD_PRELOAD: holds a program at one call until a file appears, so that a test decides what happens
// meanwhile. (Calls that kill or fail: gauntlet_preload.cpp.)
//
//   HELD_RENAME_TO         file name: a rename to it is held
//   HELD_FSYNC_OF          folder name: an fsync of that folder is held
//   HELD_AFTER             how many such calls go through before one is held
//   HELD_GATE              path: <gate>.reached is created when a call is held, which ends when
//                          <gate> exists

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

const char* setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool ends_in(const std::string& path, const char* name) {
  return *name != '\0' && path.substr(path.rfind('/') + 1) == name;
}

void hold() {
  static std::atomic<int> count{0};
  if (count++ < std::atoi(setting("HELD_AFTER"))) return;
  const std::string gate = setting("HELD_GATE");
  const int reached = ::open((gate + ".reached").c_str(), O_WRONLY | O_CREAT, 0666);
  if (reached >= 0) ::close(reached);
  while (::access(gate.c_str(), F_OK) != 0) ::usleep(2000);
}

std::string path_of(int descriptor) {
  char path[4096] = {};
  const auto link = "/proc/self/fd/" + std::to_string(descriptor);
  return ::readlink(link.c_str(), path, sizeof path - 1) > 0 ? path : "";
}

}  // namespace

extern "C" int rename(const char* from, const char* to) {
  if (ends_in(to, setting("HELD_RENAME_TO"))) hold();
  return next<int(const char*, const char*)>("rename")(from, to);
}

extern "C" int fsync(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
    if (ends_in(path_of(descriptor), setting("HELD_FSYNC_OF"))) hold();
  }
  return next<int(int)>("fsync")(descriptor);
}
