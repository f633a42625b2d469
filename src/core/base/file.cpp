#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/retried.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/core/base/text.hpp>

#include "exclusive_rename.hpp"

namespace moesweep {
namespace {

// Linux caps one read or write at 0x7ffff000 bytes; smaller requests also let signals in.
constexpr std::size_t max_transfer_bytes = std::size_t{1} << 30;

// The name, or who may read it. All else (a broken disk, a stale handle, a lack of descriptors)
// keeps a file from us that may be a good one.
bool is_about_the_file(int error_number) {
  switch (error_number) {
    case EACCES:
    case EINVAL:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case EOVERFLOW:
    case EPERM:
      return true;
    default:
      return false;
  }
}

// What file systems without hard links (exFAT, SMB, some of FUSE) say to link(2).
bool has_no_hard_links(int error_number) {
  switch (error_number) {
    case EMLINK:
    case ENOSYS:
    case EOPNOTSUPP:
    case EPERM:
      return true;
    default:
      return false;
  }
}

// What file systems that make a directory durable only by unmounting say to its fsync(2).
bool has_no_directory_fsync(int error_number) {
  switch (error_number) {
    case EBADF:
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

void warn_once_of_directory_fsync(const std::filesystem::path& directory, int error_number) {
  static std::once_flag warned;
  std::call_once(warned, [&] {
    // Not fmt::print: it throws when stderr cannot be written.
    std::fputs(fmt::format("moesweep: warning: {}: this file system cannot fsync directories ({}): "
                           "a power cut may lose files that were reported as written\n",
                           printable(directory.string()), std::strerror(error_number))
                   .c_str(),
               stderr);
  });
}

struct stat status_of_open(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (retried([&] { return ::fstat(file.get(), &status); }) != 0) {
    throw io_error(path, "cannot stat", errno);
  }
  return status;
}

void remove_quietly(const std::filesystem::path& path) {
  retried([&] { return ::unlink(path.c_str()); });
}

void write_all(const FileDescriptor& file, std::span<const std::byte> bytes,
               const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto written = retried([&] {
      return ::write(file.get(), bytes.data(), std::min(bytes.size(), max_transfer_bytes));
    });
    if (written <= 0) throw io_error(path, "cannot write", written == 0 ? ENOSPC : errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void write_all_at(const FileDescriptor& file, std::uint64_t offset,
                  std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto written = retried([&] {
      return ::pwrite(file.get(), bytes.data(), std::min(bytes.size(), max_transfer_bytes),
                      checked_cast<off_t>(offset));
    });
    if (written <= 0) throw io_error(path, "cannot write", written == 0 ? ENOSPC : errno);
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void sync_and_close(FileDescriptor& file, const std::filesystem::path& path) {
  // EDQUOT and ENOSPC may surface only at fsync or close.
  if (retried([&] { return ::fsync(file.get()); }) != 0) {
    throw io_error(path, "cannot fsync", errno);
  }
  // On Linux an interrupted close has closed.
  if (::close(file.release()) != 0 && errno != EINTR) throw io_error(path, "cannot close", errno);
}

}  // namespace

Error io_error(const std::filesystem::path& path, std::string_view problem, int error_number) {
  const Error plain = errno_error(ExitCode::io_error, path.string(), problem, error_number);
  const auto with_remedy = [&](const char* remedy) {
    return Error(ExitCode::io_error, plain.where(), plain.problem(), remedy);
  };
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return with_remedy(
          "free some space or quota and run the same command again, nothing published is lost");
    case EFBIG:
      return with_remedy(
          "raise the limit on file sizes (ulimit -f) and run the same command again");
    default:
      return plain;
  }
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    close_quietly();
    descriptor_ = other.release();
  }
  return *this;
}

int FileDescriptor::release() {
  const int descriptor = descriptor_;
  descriptor_ = -1;
  return descriptor;
}

void FileDescriptor::close_quietly() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileDescriptor open_descriptor(const std::filesystem::path& path, int flags) {
  return FileDescriptor(retried([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); }));
}

FileDescriptor open_for_reading(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO would otherwise wait for a writer.
  auto file = open_descriptor(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) {
    const auto code = is_about_the_file(errno) ? ExitCode::bad_input : ExitCode::io_error;
    throw errno_error(code, path.string(), "cannot open", errno);
  }
  if (!S_ISREG(status_of_open(file, path).st_mode)) {
    throw Error(ExitCode::bad_input, path.string(), "is not a regular file");
  }
  return file;
}

std::uint64_t file_size(const FileDescriptor& file, const std::filesystem::path& path) {
  return checked_cast<std::uint64_t>(status_of_open(file, path).st_size);
}

void read_exactly(const FileDescriptor& file, std::uint64_t offset, std::span<std::byte> out,
                  const std::filesystem::path& path) {
  while (!out.empty()) {
    const auto got = retried([&] {
      return ::pread(file.get(), out.data(), std::min(out.size(), max_transfer_bytes),
                     checked_cast<off_t>(offset));
    });
    if (got < 0) throw io_error(path, "cannot read", errno);
    if (got == 0) {
      throw Error(ExitCode::bad_input, path.string(),
                  fmt::format("ends at byte {}, {} more were expected", offset, out.size()),
                  "the file is truncated, copy or download it again");
    }
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

Error unreadable(const std::filesystem::path& path, int error_number, ExitCode forbidden) {
  return errno_error(is_about_the_file(error_number) ? forbidden : ExitCode::io_error,
                     path.string(), "cannot be read", error_number);
}

Error not_created(const std::filesystem::path& path, int error_number, ExitCode forbidden) {
  constexpr auto problem = "cannot be created";
  if (!is_about_the_file(error_number)) return io_error(path, problem, error_number);
  return errno_error(forbidden, path.string(), problem, error_number);
}

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  const auto file = open_for_reading(path);
  std::vector<std::byte> bytes(checked_cast<std::size_t>(file_size(file, path)));
  read_exactly(file, 0, bytes, path);
  return bytes;
}

std::string read_text(const FileDescriptor& file, const std::filesystem::path& path) {
  std::string text(checked_cast<std::size_t>(file_size(file, path)), '\0');
  read_exactly(file, 0, std::as_writable_bytes(std::span(text)), path);
  return text;
}

std::string read_text_file(const std::filesystem::path& path, std::uint64_t most_bytes) {
  const auto file = open_for_reading(path);
  const auto bytes = file_size(file, path);
  if (bytes > most_bytes) {
    throw Error(ExitCode::bad_input, path.string(),
                fmt::format("has {}, more than the {} that such a file may have",
                            format_size(checked_cast<std::int64_t>(bytes)),
                            format_size(checked_cast<std::int64_t>(most_bytes))));
  }
  return read_text(file, path);
}

FilePublisher::FilePublisher(std::filesystem::path path)
    : path_(std::move(path)),
      temporary_(path_.parent_path() / temporary_name()),
      file_(open_descriptor(temporary_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)) {
  if (!file_) throw io_error(temporary_, "cannot create", errno);
}

FilePublisher::~FilePublisher() {
  if (!renamed_) remove_quietly(temporary_);
}

void FilePublisher::write(std::span<const std::byte> bytes) {
  write_all(file_, bytes, temporary_);
}

void FilePublisher::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  write_all_at(file_, offset, bytes, temporary_);
}

void FilePublisher::make_durable() {
  sync_and_close(file_, temporary_);
}

void FilePublisher::publish() {
  make_durable();
  rename_durably(temporary_, path_);
  renamed_ = true;
}

bool FilePublisher::publish_exclusively() {
  make_durable();
  if (retried([&] { return ::link(temporary_.c_str(), path_.c_str()); }) != 0) {
    const int error_number = errno;
    // An NFS server may have made the link and lost the answer: the link count tells.
    struct stat status {};
    const auto look = [&] { return ::stat(temporary_.c_str(), &status); };
    const bool linked = retried(look) == 0 && status.st_nlink == 2;
    if (!linked && error_number == EEXIST) return false;
    if (!linked && !has_no_hard_links(error_number)) {
      throw io_error(path_, "cannot link into place", error_number);
    }
    if (!linked) {
      renamed_ = rename_exclusively(temporary_, path_);
      if (!renamed_) return false;
    }
  }
  fsync_directory(path_.parent_path());
  return true;
}

void publish_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  FilePublisher file(path);
  file.write(bytes);
  file.publish();
}

void publish_file(const std::filesystem::path& path, std::string_view text) {
  publish_file(path, std::as_bytes(std::span(text)));
}

bool publish_file_exclusively(const std::filesystem::path& path, std::string_view text) {
  FilePublisher file(path);
  file.write(std::as_bytes(std::span(text)));
  return file.publish_exclusively();
}

void overwrite_file(const std::filesystem::path& path, std::string_view text) {
  auto file = open_descriptor(path, O_WRONLY | O_CREAT | O_NOFOLLOW);
  if (!file) throw io_error(path, "cannot open for writing", errno);
  write_all(file, std::as_bytes(std::span(text)), path);
  sync_and_close(file, path);
}

void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (retried([&] { return ::rename(from.c_str(), to.c_str()); }) != 0) {
    throw io_error(to, "cannot rename into place", errno);
  }
  fsync_directory(to.parent_path());
}

void append_line(const std::filesystem::path& path, std::string_view line) {
  // O_NONBLOCK: opening a FIFO would otherwise wait for a reader.
  const auto file = open_descriptor(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
  if (!file) throw io_error(path, "cannot open for appending", errno);
  const std::string terminated = std::string(line) + '\n';
  write_all(file, std::as_bytes(std::span(terminated)), path);
}

Error io_error_of(const std::filesystem::filesystem_error& failure, ExitCode about_the_file) {
  // Only calls that ask for the working directory name no path.
  const auto path = failure.path1().empty() ? "working directory" : failure.path1();
  const int error_number = failure.code().value();
  if (!is_about_the_file(error_number)) return io_error(path, "cannot be used", error_number);
  return errno_error(about_the_file, path.string(), "cannot be used", error_number);
}

void fsync_directory(const std::filesystem::path& directory) {
  const auto& path = directory.empty() ? std::filesystem::path(".") : directory;
  const auto file = open_descriptor(path, O_RDONLY | O_DIRECTORY);
  if (!file) throw io_error(path, "cannot open directory", errno);
  if (retried([&] { return ::fsync(file.get()); }) == 0) return;
  if (!has_no_directory_fsync(errno)) throw io_error(path, "cannot fsync directory", errno);
  warn_once_of_directory_fsync(path, errno);
}

}  // namespace moesweep
