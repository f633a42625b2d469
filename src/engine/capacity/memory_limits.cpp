// Control groups: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux,
// proc(5) for /proc/PID/mountinfo and cgroups(7) for /proc/PID/cgroup. Slurm: srun(1), sbatch(1).

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/engine/capacity/memory_limits.hpp>

namespace moesweep::capacity {
namespace {

namespace fs = std::filesystem;

/// Of /proc/self/mountinfo.
struct Mount {
  std::string root;  ///< group that is seen at `point`
  fs::path point;
  std::string type;     ///< "cgroup", "cgroup2"
  std::string options;  ///< "rw,memory"
};

/// Spaces, tabs, newlines and backslashes are octal there: "\040".
std::string unescaped(std::string_view text) {
  constexpr std::size_t digits = 3;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const auto* begin = text.data() + i + 1;
    if (text[i] == '\\' && i + digits < text.size() &&
        std::from_chars(begin, begin + digits, code, 8).ptr == begin + digits) {
      out += static_cast<char>(code);
      i += digits;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// "36 35 98:0 /root /point rw,noatime master:1 - cgroup2 cgroup2 rw".
std::optional<Mount> mount_from(const std::string& line) {
  std::istringstream fields(line);
  std::string id, parent, device, root, point, field;
  if (!(fields >> id >> parent >> device >> root >> point)) return std::nullopt;
  while (fields >> field && field != "-") {
  }
  std::string type, source, options;
  if (!(fields >> type >> source >> options)) return std::nullopt;
  return Mount{unescaped(root), unescaped(point), type, options};
}

bool has_controller(const std::string& list, std::string_view controller) {
  const auto controllers = split_text(list, ',');
  return std::ranges::find(controllers, controller) != controllers.end();
}

/// The own group in each hierarchy of /proc/self/cgroup: "0::/a" is that of version 2,
/// "4:memory:/b" that of version 1.
struct OwnGroups {
  std::optional<std::string> version2, memory;
};

OwnGroups own_groups(const fs::path& root) {
  OwnGroups groups;
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    const auto path = line.substr(second + 1);
    if (controllers.empty()) groups.version2 = path;
    if (has_controller(controllers, "memory")) groups.memory = path;
  }
  return groups;
}

/// Where version 2 and the memory controller of version 1 are seen. The usual places always count:
/// mountinfo may be hidden.
std::vector<Mount> cgroup_mounts(const fs::path& root) {
  std::vector<Mount> mounts = {{"/", "/sys/fs/cgroup", "cgroup2", ""},
                               {"/", "/sys/fs/cgroup/memory", "cgroup", "memory"}};
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    auto mount = mount_from(line);
    if (!mount) continue;
    const bool counts = mount->type == "cgroup2" ||
                        (mount->type == "cgroup" && has_controller(mount->options, "memory"));
    if (counts) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

/// The group's folder and its ancestors up to the mount point. A group elsewhere leaves the mount
/// point alone; one outside of the namespace ("/../a") nothing: no group that is seen holds it.
std::vector<fs::path> folders_of(const Mount& mount, const std::string& group) {
  const auto path = fs::path(group).lexically_normal();
  const auto steps_out = [](const fs::path& part) { return part == ".."; };
  if (std::ranges::any_of(fs::path(group), steps_out)) return {};
  auto below = path.lexically_relative(fs::path(mount.root).lexically_normal());
  if (below.empty() || *below.begin() == ".." || below == ".") below.clear();
  std::vector<fs::path> folders;
  for (; !below.empty(); below = below.parent_path()) folders.push_back(mount.point / below);
  folders.push_back(mount.point);
  return folders;
}

/// The number a file begins with; "max" and a file that is not there are no limit.
std::optional<std::int64_t> number_in(const fs::path& file) {
  std::ifstream stream(file);
  std::int64_t bytes = 0;
  if (!(stream >> bytes) || bytes <= 0) return std::nullopt;
  return bytes;
}

/// Over all ancestors, also those that a container does not see.
std::optional<std::int64_t> hierarchical_limit(const fs::path& folder) {
  std::ifstream stream(folder / "memory.stat");
  std::int64_t bytes = 0;
  for (std::string key; stream >> key >> bytes;) {
    if (key == "hierarchical_memory_limit" && bytes > 0) return bytes;
  }
  return std::nullopt;
}

void add_limits_of(const fs::path& root, const fs::path& folder, bool is_version2,
                   std::vector<MemoryLimit>& limits) {
  const auto here = root / folder.relative_path();
  const auto add = [&](const std::string& file, std::optional<std::int64_t> bytes) {
    if (bytes) limits.push_back({*bytes, (folder / file).string(), folder.string()});
  };
  if (is_version2) {
    for (const auto* file : {"memory.max", "memory.high"}) add(file, number_in(here / file));
    return;
  }
  add("memory.limit_in_bytes", number_in(here / "memory.limit_in_bytes"));
  add("memory.stat", hierarchical_limit(here));
}

/// "4096" (mebibytes), "4G".
std::optional<std::int64_t> slurm_bytes(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::int64_t count = 0;
  const auto* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, count);
  if (parsed.ec != std::errc{} || count <= 0 || end - parsed.ptr > 1) return std::nullopt;
  constexpr std::string_view units = "KMGT";
  const auto unit = parsed.ptr == end ? units.find('M') : units.find(*parsed.ptr);
  if (unit == std::string_view::npos) return std::nullopt;
  const auto bytes =
      checked_product(static_cast<std::uint64_t>(count), std::uint64_t{1} << (10 * (unit + 1)));
  if (!bytes || !std::in_range<std::int64_t>(*bytes)) return std::nullopt;
  return static_cast<std::int64_t>(*bytes);
}

std::optional<std::int64_t> count_in(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::int64_t count = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), count);
  if (parsed.ec != std::errc{} || count <= 0) return std::nullopt;
  return count;
}

/// Entry `node` of "72(x2),36".
std::optional<std::int64_t> entry_of(const std::optional<std::string>& list, std::int64_t node) {
  if (!list) return std::nullopt;
  for (const auto& entry : split_text(*list, ',')) {
    const auto times = entry.find("(x");
    const auto nodes = times == std::string::npos
                           ? std::optional<std::int64_t>(1)
                           : count_in(entry.substr(times + 2, entry.size() - times - 3));
    if (!nodes) return std::nullopt;
    if (node < *nodes) return count_in(entry);
    node -= *nodes;
  }
  return std::nullopt;
}

std::int64_t cpus_of_node(const Variables& variables, int cpus_here) {
  if (const auto cpus = count_in(variables("SLURM_CPUS_ON_NODE"))) return *cpus;
  const auto node = count_in(variables("SLURM_NODEID")).value_or(0);
  if (const auto cpus = entry_of(variables("SLURM_JOB_CPUS_PER_NODE"), node)) return *cpus;
  const auto per_task = count_in(variables("SLURM_CPUS_PER_TASK"));
  auto tasks = entry_of(variables("SLURM_STEP_TASKS_PER_NODE"), node);
  if (!tasks) tasks = entry_of(variables("SLURM_TASKS_PER_NODE"), node);
  if (!tasks) tasks = count_in(variables("SLURM_NTASKS_PER_NODE"));
  if (per_task || tasks) return per_task.value_or(1) * tasks.value_or(1);
  return cpus_here;
}

}  // namespace

Variables environment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::vector<MemoryLimit> cgroup_limits(const fs::path& root) {
  const auto groups = own_groups(root);
  std::vector<MemoryLimit> limits;
  for (const auto& mount : cgroup_mounts(root)) {
    const bool is_version2 = mount.type == "cgroup2";
    const auto& group = is_version2 ? groups.version2 : groups.memory;
    for (const auto& folder : folders_of(mount, group.value_or("/"))) {
      add_limits_of(root, folder, is_version2, limits);
    }
  }
  return limits;
}

std::vector<MemoryLimit> slurm_limits(const Variables& variables, int cpus_here) {
  // Nodes of a test may be one host; their limits are not shared.
  const auto scope = fmt::format("Slurm job {} on {}", variables("SLURM_JOB_ID").value_or(""),
                                 variables("SLURMD_NODENAME").value_or(""));
  std::vector<MemoryLimit> limits;
  if (const auto bytes = slurm_bytes(variables("SLURM_MEM_PER_NODE"))) {
    limits.push_back({*bytes, "SLURM_MEM_PER_NODE", scope});
  }
  if (const auto bytes = slurm_bytes(variables("SLURM_MEM_PER_CPU"))) {
    const auto cpus = cpus_of_node(variables, cpus_here);
    const auto all =
        checked_product(static_cast<std::uint64_t>(*bytes), static_cast<std::uint64_t>(cpus));
    if (all && std::in_range<std::int64_t>(*all)) {
      limits.push_back({static_cast<std::int64_t>(*all),
                        fmt::format("SLURM_MEM_PER_CPU x {} CPUs", format_count(cpus)), scope});
    }
  }
  return limits;
}

std::vector<MemoryLimit> memory_limits() {
  auto limits = cgroup_limits();
  const auto of_slurm = slurm_limits(environment(), parallel::available_cpus());
  limits.insert(limits.end(), of_slurm.begin(), of_slurm.end());
  const auto physical =
      static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  limits.push_back({physical, "physical memory", "physical memory"});
  return limits;
}

std::vector<std::string> scopes_of(std::span<const MemoryLimit> limits) {
  std::set<std::string> scopes;
  for (const auto& limit : limits) scopes.insert(limit.scope);
  return {scopes.begin(), scopes.end()};
}

MemoryShare share_of(std::span<const MemoryLimit> limits, std::span<const std::string> scopes) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  const MemoryLimit* decides = nullptr;
  std::int64_t ranks = 1;
  for (const auto& limit : limits) {
    const auto sharing = std::max<std::int64_t>(1, std::ranges::count(scopes, limit.scope));
    if (limit.bytes / sharing >= least) continue;
    least = limit.bytes / sharing;
    decides = &limit;
    ranks = sharing;
  }
  if (decides == nullptr) return {least / 10 * 8, "no limit"};
  return {least / 10 * 8,
          fmt::format("80 % of {} ({}){}", format_size(decides->bytes), decides->source,
                      ranks == 1 ? "" : fmt::format(", shared by {} ranks", ranks))};
}

}  // namespace moesweep::capacity
