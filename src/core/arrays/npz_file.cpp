#include <memory>

#include <fmt/format.h>
#include <zip.h>

#include <moesweep/core/arrays/npz_file.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>

#include "npy_header.hpp"

namespace moesweep::arrays {
namespace {

constexpr std::string_view extension = ".npy";
// Deflate cannot expand a byte to more than 1,032.
constexpr std::uint64_t max_expansion = 1032;

using Archive = std::shared_ptr<zip_t>;
using Member = std::unique_ptr<zip_file_t, decltype(&zip_fclose)>;

[[noreturn]] void refuse(const std::string& place, const std::string& problem) {
  throw Error(ExitCode::bad_input, place, problem,
              "it is damaged or was not written by numpy.savez");
}

/// Of zip_open, with errno where the system failed.
class ZipError {
 public:
  explicit ZipError(int code) { zip_error_init_with_code(&error_, code); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  zip_error_t* get() const { return &error_; }

 private:
  mutable zip_error_t error_{};
};

/// What libzip says; where the system failed, of the system.
[[noreturn]] void refuse(const std::string& place, const std::string& problem, zip_error_t* error) {
  const std::string reason = zip_error_strerror(error);
  if (zip_error_system_type(error) == ZIP_ET_SYS) {
    const auto refused = unreadable(place, zip_error_code_system(error), ExitCode::bad_input);
    if (refused.exit_code() == ExitCode::io_error) throw refused;
  }
  refuse(place, problem + reason);
}

Archive open_archive(const std::filesystem::path& path) {
  open_for_reading(path);  // refuses what is not a regular file
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (archive == nullptr) {
    const ZipError error(code);
    refuse(path.string(), "is not a readable .npz archive: ", error.get());
  }
  return {archive, zip_discard};
}

Member open_member(const Archive& archive, zip_uint64_t index, const std::string& place) {
  Member member(zip_fopen_index(archive.get(), index, 0), zip_fclose);
  if (!member) refuse(place, "cannot be read: ", zip_get_error(archive.get()));
  return member;
}

void read_fully(const Member& member, std::span<std::byte> out, const std::string& place) {
  while (!out.empty()) {
    const auto got = zip_fread(member.get(), out.data(), out.size());
    if (got < 0) refuse(place, "cannot be read: ", zip_file_get_error(member.get()));
    if (got == 0) refuse(place, "ends early");
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

void read_data(const Archive& archive, zip_uint64_t index, const NpyHeader& header,
               const std::string& place, const TakeBytes& take) {
  const auto member = open_member(archive, index, place);
  std::vector<std::byte> skipped(header.data_begin);
  read_fully(member, skipped, place);
  std::vector<std::byte> data;
  for_each_part(header.data_bytes, header.type.bytes, [&](std::uint64_t, std::size_t part_bytes) {
    data.resize(part_bytes);
    read_fully(member, data, place);
    take(data);
  });
  // The checksum is compared when the end is read.
  std::byte beyond{};
  if (zip_fread(member.get(), &beyond, 1) != 0) refuse(place, "has a wrong checksum or length");
}

struct MemberInfo {
  std::string name;
  std::uint64_t bytes = 0;
};

MemberInfo inspect(const Archive& archive, zip_uint64_t index, std::uint64_t archive_bytes,
                   const std::string& path) {
  zip_stat_t stat;
  zip_stat_init(&stat);
  constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                  ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if (zip_stat_index(archive.get(), index, 0, &stat) != 0 || (stat.valid & needed) != needed) {
    refuse(path, fmt::format("member {} has no readable entry", index));
  }
  const auto place = fmt::format("{}:{}", path, stat.name);
  if (stat.encryption_method != ZIP_EM_NONE) refuse(place, "is encrypted");
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) {
    refuse(place, "is packed with something else than deflate");
  }
  const auto most = checked_product(stat.comp_size, max_expansion);
  if (stat.comp_size > archive_bytes || !most || stat.size > *most) {
    refuse(place, fmt::format("declares {} bytes, more than the archive can hold", stat.size));
  }
  return {stat.name, stat.size};
}

Array open_array(const Archive& archive, zip_uint64_t index, const MemberInfo& info,
                 const std::string& place) {
  if (info.bytes < npy_prefix_bytes) refuse(place, "is not an .npy array");
  const auto member = open_member(archive, index, place);
  std::vector<std::byte> bytes(npy_prefix_bytes);
  read_fully(member, bytes, place);
  bytes.resize(npy_header_bytes(bytes, info.bytes, place));
  read_fully(member, std::span(bytes).subspan(npy_prefix_bytes), place);
  const auto header = parse_npy_header(bytes, info.bytes, place);
  return {place, header.type, header.shape,
          [=](const TakeBytes& take) { read_data(archive, index, header, place, take); }};
}

}  // namespace

Arrays open_npz(const std::filesystem::path& path) {
  const auto archive = open_archive(path);
  const auto archive_bytes = size_of_file_at(path, ExitCode::bad_input).value_or(0);
  Arrays arrays;
  const auto members = checked_cast<zip_uint64_t>(zip_get_num_entries(archive.get(), 0));
  for (zip_uint64_t index = 0; index < members; ++index) {
    const auto info = inspect(archive, index, archive_bytes, path.string());
    if (!info.name.ends_with(extension)) continue;
    const auto name = info.name.substr(0, info.name.size() - extension.size());
    const auto place = fmt::format("{}:{}", path.string(), name);
    if (!arrays.emplace(name, open_array(archive, index, info, place)).second) {
      refuse(place, "is in the archive twice");
    }
  }
  return arrays;
}

}  // namespace moesweep::arrays
