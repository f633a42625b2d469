#include "promise.hpp"

#include <fstream>

#include <sys/mman.h>
#include <unistd.h>

namespace moesweep::fuzz {

MemoryFile::MemoryFile(const std::uint8_t* data, std::size_t size)
    : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
  require(descriptor_ >= 0);
  while (size > 0) {
    const auto written = ::write(descriptor_, data, size);
    require(written > 0);
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

MemoryFile::~MemoryFile() {
  ::close(descriptor_);
}

std::filesystem::path MemoryFile::path() const {
  return "/proc/self/fd/" + std::to_string(descriptor_);
}

namespace {

struct Folder {
  Folder() {
    std::string name = "/dev/shm/moesweep-fuzz-XXXXXX";
    require(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

}  // namespace

const std::filesystem::path& memory_folder() {
  static const Folder folder;
  return folder.path;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  require(file.good());
}

}  // namespace moesweep::fuzz
