#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <random>

#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/retried.hpp>
#include <moesweep/core/base/temporary_files.hpp>

namespace moesweep {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours long_ago(24);
constexpr std::uint64_t longest_name = 255;

struct Maker {
  std::uint64_t system = 0;
  std::int64_t pid = 0;
  std::int64_t start_ticks = 0;

  bool operator==(const Maker&) const = default;
};

Maker read_maker() {
  const auto self = process_identity();
  return {hash64(self.boot_id + '\n' + self.pid_namespace), self.pid, self.start_ticks};
}

// Read once: later there may be no descriptor left to read it with. A fork is another process.
Maker this_maker() {
  static const Maker at_first = read_maker();
  return at_first.pid == ::getpid() ? at_first : read_maker();
}

template <typename Number>
bool take_number(std::string_view& text, Number& value, int base) {
  const auto end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || rest == end || *rest != '-') return false;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()) + 1);
  return true;
}

std::optional<Maker> parse_maker(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  Maker maker;
  if (!take_number(name, maker.system, 16)) return std::nullopt;
  if (!take_number(name, maker.pid, 10) || !take_number(name, maker.start_ticks, 10)) {
    return std::nullopt;
  }
  return maker;
}

// A folder under the name of a temporary file, or a file under that of a folder, is none of ours.
bool is_of_ours(const fs::directory_entry& entry, std::string_view prefix) {
  std::error_code error;
  const auto type = entry.symlink_status(error).type();
  return type == (prefix == temporary_prefix ? fs::file_type::regular : fs::file_type::directory);
}

// What cannot be listed, looked at or removed stays, and only takes space: the next command that
// looks here removes it.
template <typename IsAbandoned>
void remove_where(const fs::path& folder, std::string_view prefix,
                  const IsAbandoned& is_abandoned) {
  std::error_code ignored;
  const auto& listed = folder.empty() ? fs::path(".") : folder;
  for (fs::directory_iterator entry(listed, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    std::error_code kept;
    const auto name = entry->path().filename().string();
    if (!name.starts_with(prefix) || !is_of_ours(*entry, prefix)) continue;
    if (is_abandoned(*entry, maker_of_temporary_at(entry->path(), prefix))) {
      fs::remove_all(entry->path(), kept);
    }
  }
}

}  // namespace

std::string temporary_name(std::string_view prefix) {
  static std::atomic<std::uint64_t> counter{0};
  std::random_device entropy;
  const auto maker = this_maker();
  return fmt::format("{}{:016x}-{}-{}-{:08x}{:04x}", prefix, maker.system, maker.pid,
                     maker.start_ticks, entropy(), counter++ & 0xffff);
}

Liveness maker_of_temporary(std::string_view name, std::string_view prefix) {
  const auto maker = parse_maker(name, prefix);
  const auto self = this_maker();
  if (!maker || maker->system != self.system || maker->start_ticks == 0 || self.start_ticks == 0) {
    return Liveness::unknown;
  }
  return liveness_here(maker->pid, maker->start_ticks);
}

Liveness maker_of_temporary_at(const fs::path& path, std::string_view prefix) {
  const auto name = path.filename().string();
  if (!name.starts_with(claim_prefix)) return maker_of_temporary(name, prefix);
  try {
    return maker_of_temporary(read_text_file(path, longest_name));
  } catch (const Error&) {
    return Liveness::unknown;
  }
}

void remove_abandoned(const fs::path& folder, std::string_view prefix) {
  remove_where(folder, prefix,
               [](const fs::directory_entry&, Liveness maker) { return maker == Liveness::dead; });
}

void remove_temporaries_of_finished(const fs::path& folder) {
  const auto self = this_maker();
  for (const auto& name : names_in_folder(folder)) {
    const auto maker = parse_maker(name, temporary_prefix);
    if (!maker || (*maker != self && maker_of_temporary(name) != Liveness::dead)) continue;
    const auto path = folder / name;
    if (retried([&] { return ::unlink(path.c_str()); }) != 0) {
      throw io_error(path, "cannot be removed", errno);
    }
  }
}

void remove_abandoned_since(const fs::path& folder, fs::file_time_type now) {
  remove_where(folder, temporary_prefix, [now](const fs::directory_entry& entry, Liveness maker) {
    if (maker != Liveness::unknown) return maker == Liveness::dead;
    std::error_code error;
    const auto written = entry.last_write_time(error);
    return !error && written + long_ago < now;
  });
}

}  // namespace moesweep
