#pragma once
// POSIX files: reads that cannot fault (pread, not mmap), writes that are on disk when they return.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/paths.hpp>

namespace moesweep {

/// An open file descriptor, closed by the destructor. Movable, not copyable.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { close_quietly(); }

  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }
  int release();

 private:
  void close_quietly();
  int descriptor_ = -1;
};

/// open(2) with O_CLOEXEC and mode 0666, again where the call is interrupted; an empty descriptor
/// and errno where it fails.
FileDescriptor open_descriptor(const std::filesystem::path& path, int flags);

/// Opens a regular file for reading. Anything else (a FIFO, a device, a directory) is refused
/// without blocking. Throws Error(bad_input) naming the path where the name or its permissions are
/// at fault, Error(io_error) for everything else: the file may be a good one.
FileDescriptor open_for_reading(const std::filesystem::path& path);

/// Bytes in an open regular file.
std::uint64_t file_size(const FileDescriptor& file, const std::filesystem::path& path);

/// Fills `out` from `offset`; a file that ends before is Error(bad_input), a failing read
/// Error(io_error).
void read_exactly(const FileDescriptor& file, std::uint64_t offset, std::span<std::byte> out,
                  const std::filesystem::path& path);

/// Error(io_error) of a call that failed with `error_number`: of a full disk or a limit with what
/// to do about it.
Error io_error(const std::filesystem::path& path, std::string_view problem, int error_number);

/// "cannot be read" with the text of errno: the code `forbidden` where name or rights are at fault,
/// io_error where the system is.
Error unreadable(const std::filesystem::path& path, int error_number,
                 ExitCode forbidden = ExitCode::io_error);

/// "cannot be created", in the same way; a full disk and the like have their remedy.
Error not_created(const std::filesystem::path& path, int error_number,
                  ExitCode forbidden = ExitCode::io_error);

/// The whole of an open file, which messages call `path`.
std::string read_text(const FileDescriptor& file, const std::filesystem::path& path);

/// The whole file. For files that we trust to be small or that we wrote ourselves.
std::vector<std::byte> read_file(const std::filesystem::path& path);

/// Of text that is held in memory (tables, plans, lists), unless the reader has a limit of its own.
inline constexpr std::uint64_t largest_text_file = std::uint64_t{1} << 30;

/// The whole file; Error(bad_input), before any of it is read, where it has more than `most_bytes`.
std::string read_text_file(const std::filesystem::path& path,
                           std::uint64_t most_bytes = largest_text_file);

/// Publishes `bytes` as `path` and returns only when they would survive a power cut: written to a
/// fresh `.tmp.<unique>` beside it (O_EXCL, O_NOFOLLOW), fsynced, closed with the result checked,
/// renamed, and the directory fsynced. Throws Error(io_error); on failure `path` is as it was
/// before, and the bytes may be published again under a new name. A failed fsync is never retried
/// on the same file.
void publish_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void publish_file(const std::filesystem::path& path, std::string_view text);

/// Like publish_file, but never replaces: returns false when `path` already exists (decided by
/// link(2), so among several processes exactly one succeeds, on NFS too). On file systems without
/// hard links a rename that never replaces decides, or who is first with a file beside it (O_EXCL).
bool publish_file_exclusively(const std::filesystem::path& path, std::string_view text);

/// publish_file for content that is produced in pieces: nothing is visible at `path` before
/// publish(), and a publisher destroyed without it leaves nothing behind.
class FilePublisher {
 public:
  /// Creates the temporary file beside `path`.
  explicit FilePublisher(std::filesystem::path path);
  ~FilePublisher();
  FilePublisher(const FilePublisher&) = delete;
  FilePublisher& operator=(const FilePublisher&) = delete;

  void write(std::span<const std::byte> bytes);
  /// At a place of its own, in any order; a gap reads as zeros. Not mixed with write().
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// For libraries that write by path; what they wrote is published like everything else.
  const std::filesystem::path& temporary() const { return temporary_; }
  /// Once, at the end: as publish_file and publish_file_exclusively.
  void publish();
  bool publish_exclusively();

 private:
  void make_durable();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  FileDescriptor file_;
  bool renamed_ = false;
};

/// Writes over the beginning of a file that exists, needing no space where it is long enough, and
/// fsyncs it. Not atomic: for files that nobody reads before they are renamed.
void overwrite_file(const std::filesystem::path& path, std::string_view text);

/// rename(2) within a directory, then fsyncs the directory.
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Appends one line with a single write(2).
void append_line(const std::filesystem::path& path, std::string_view line);

/// What std::filesystem could not do, as Error(io_error) naming the path; with `about_the_file`
/// where the path or its rights are at fault and not the system.
Error io_error_of(const std::filesystem::filesystem_error& failure,
                  ExitCode about_the_file = ExitCode::io_error);

/// Makes directory entries (creations, renames) durable. A file system that refuses this (EINVAL)
/// is warned of once on stderr: nothing more can be done there.
void fsync_directory(const std::filesystem::path& directory);

}  // namespace moesweep
