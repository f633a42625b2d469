#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/engine/capacity/memory_limits.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::capacity {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t mib = std::int64_t{1} << 20;

/// Files that stand for those below "/".
class CgroupLimits : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const auto file = root.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void own_groups(const std::string& lines) { write("proc/self/cgroup", lines); }
  void mounts(const std::string& lines) { write("proc/self/mountinfo", lines); }

  /// The smallest, nothing without any.
  std::optional<MemoryLimit> least() const {
    const auto limits = cgroup_limits(root.path());
    const auto found = std::ranges::min_element(limits, {}, &MemoryLimit::bytes);
    return found == limits.end() ? std::nullopt : std::optional(*found);
  }

  void expect_least(std::int64_t bytes, const std::string& source) const {
    const auto limit = least();
    ASSERT_TRUE(limit);
    EXPECT_EQ(limit->bytes, bytes);
    EXPECT_EQ(limit->source, source);
  }

  test::TemporaryDirectory root;
};

constexpr auto version2 = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";
constexpr auto version1 =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "34 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:12 - cgroup cgroup rw,memory\n";

TEST_F(CgroupLimits, NoFilesAreNoLimit) {
  EXPECT_FALSE(least());
}

TEST_F(CgroupLimits, OfVersion2IsThatOfTheOwnGroup) {
  mounts(version2);
  own_groups("0::/system.slice/slurmstepd.scope/job_1/step_0\n");
  write("sys/fs/cgroup/system.slice/slurmstepd.scope/job_1/step_0/memory.max", "1048576\n");
  expect_least(mib, "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_1/step_0/memory.max");
}

TEST_F(CgroupLimits, OfVersion2IsThatOfEveryAncestor) {
  mounts(version2);
  own_groups("0::/a/b/c\n");
  write("sys/fs/cgroup/a/b/c/memory.max", "max\n");
  write("sys/fs/cgroup/a/b/memory.max", "3145728\n");
  write("sys/fs/cgroup/a/memory.max", "2097152\n");
  expect_least(2 * mib, "/sys/fs/cgroup/a/memory.max");
}

TEST_F(CgroupLimits, InANamespaceIsThatOfTheMountsRoot) {
  mounts(version2);
  own_groups("0::/\n");
  write("sys/fs/cgroup/memory.max", "25165824\n");
  expect_least(24 * mib, "/sys/fs/cgroup/memory.max");
}

TEST_F(CgroupLimits, InANamespaceHoldForAGroupBelowItsRoot) {
  mounts(version2);
  own_groups("0::/a\n");
  write("sys/fs/cgroup/memory.max", "25165824\n");
  write("sys/fs/cgroup/a/memory.max", "max\n");
  expect_least(24 * mib, "/sys/fs/cgroup/memory.max");
}

TEST_F(CgroupLimits, OfASlowedGroupAreWhereItIsSlowed) {
  mounts(version2);
  own_groups("0::/job\n");
  write("sys/fs/cgroup/job/memory.max", "4194304\n");
  write("sys/fs/cgroup/job/memory.high", "3145728\n");
  expect_least(3 * mib, "/sys/fs/cgroup/job/memory.high");
}

TEST_F(CgroupLimits, OfVersion1AreThoseOfTheOwnGroupAndItsAncestors) {
  mounts(version1);
  own_groups("5:cpu,cpuacct:/elsewhere\n4:memory:/slurm/uid_0/job_7/step_0\n0::/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/memory/slurm/uid_0/job_7/step_0/memory.limit_in_bytes", "3145728\n");
  write("sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.limit_in_bytes", "2097152\n");
  write("sys/fs/cgroup/memory/elsewhere/memory.limit_in_bytes", "1\n");
  expect_least(2 * mib, "/sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.limit_in_bytes");
}

TEST_F(CgroupLimits, OfVersion1AreSeenWhereTheControllerIsMounted) {
  mounts("35 31 0:32 / /mnt/with\\040space rw - cgroup none rw,cpuset,memory\n");
  own_groups("4:cpuset,memory:/job\n");
  write("mnt/with space/job/memory.limit_in_bytes", "1048576\n");
  expect_least(mib, "/mnt/with space/job/memory.limit_in_bytes");
}

TEST_F(CgroupLimits, OfVersion1InAContainerAreThoseOfTheMountedRoot) {
  mounts("35 31 0:32 /docker/77 /sys/fs/cgroup/memory ro master:3 - cgroup cgroup rw,memory\n");
  own_groups("4:memory:/docker/77\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2097152\n");
  expect_least(2 * mib, "/sys/fs/cgroup/memory/memory.limit_in_bytes");
}

TEST_F(CgroupLimits, OfAGroupThatIsNotBelowTheMountedRootAreThoseOfThatRoot) {
  mounts("35 31 0:32 /kubepods/pod1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
  own_groups("4:memory:/kubepods/pod2/main\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2097152\n");
  expect_least(2 * mib, "/sys/fs/cgroup/memory/memory.limit_in_bytes");
}

TEST_F(CgroupLimits, BelowAMountedRootAreFoundByTheRestOfThePath) {
  mounts("35 31 0:32 /slurm /memory ro - cgroup cgroup rw,memory\n");
  own_groups("4:memory:/slurm/job_7\n");
  write("memory/job_7/memory.limit_in_bytes", "2097152\n");
  write("memory/slurm/job_7/memory.limit_in_bytes", "1\n");
  expect_least(2 * mib, "/memory/job_7/memory.limit_in_bytes");
}

TEST_F(CgroupLimits, OfAncestorsThatAContainerDoesNotSeeAreInMemoryStat) {
  mounts(version1);
  own_groups("4:memory:/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/memory/memory.stat",
        "cache 12\nrss 5\nhierarchical_memory_limit 7340032\nhierarchical_memsw_limit 1\n");
  expect_least(7 * mib, "/sys/fs/cgroup/memory/memory.stat");
}

TEST_F(CgroupLimits, OfBothVersionsHoldWhereBothAreMounted) {
  const std::string hybrid =
      std::string(version1) + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  mounts(hybrid);
  own_groups("4:memory:/job\n0::/user\n");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "3145728\n");
  expect_least(3 * mib, "/sys/fs/cgroup/memory/job/memory.limit_in_bytes");
  write("sys/fs/cgroup/unified/user/memory.max", "2097152\n");
  expect_least(2 * mib, "/sys/fs/cgroup/unified/user/memory.max");
}

TEST_F(CgroupLimits, AreSeenInTheirUsualPlacesWithoutMountinfo) {
  own_groups("0::/\n4:memory:/job\n");
  write("sys/fs/cgroup/memory.max", "3145728\n");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "2097152\n");
  expect_least(2 * mib, "/sys/fs/cgroup/memory/job/memory.limit_in_bytes");
}

TEST_F(CgroupLimits, OfANamespaceDoNotHoldForAGroupOutsideOfIt) {
  mounts(version2);
  own_groups("0::/../other\n");
  write("sys/fs/cgroup/memory.max", "1048576\n");
  write("sys/fs/other/memory.max", "1048576\n");
  EXPECT_FALSE(least());
}

TEST_F(CgroupLimits, DamagedFilesAreNoLimit) {
  mounts("1 2\n - \n35 31 0:32 / /sys/fs/cgroup rw - cgroup2\nx\n");
  own_groups("\n0\n0:\n::\n0::/a\n");
  write("sys/fs/cgroup/memory.max", "");
  write("sys/fs/cgroup/a/memory.max", "-5\n");
  write("sys/fs/cgroup/a/memory.high", "lots\n");
  EXPECT_FALSE(least());
}

Variables variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

std::int64_t slurm_bytes(std::map<std::string, std::string> values, int cpus_here = 1) {
  const auto limits = slurm_limits(variables(std::move(values)), cpus_here);
  return limits.empty() ? 0 : std::ranges::min(limits, {}, &MemoryLimit::bytes).bytes;
}

TEST(SlurmLimits, OfANodeAreInMebibytes) {
  EXPECT_EQ(slurm_bytes({{"SLURM_MEM_PER_NODE", "24"}}), 24 * mib);
  EXPECT_EQ(slurm_bytes({{"SLURM_MEM_PER_NODE", "2G"}}), 2048 * mib);
  EXPECT_EQ(slurm_bytes({{"SLURM_MEM_PER_NODE", "512K"}}), mib / 2);
}

TEST(SlurmLimits, ThatAreAbsentZeroOrUnreadableDoNotHold) {
  EXPECT_THAT(slurm_limits(variables({}), 4), IsEmpty());
  for (const auto* text : {"0", "", "-1", "lots", "12X", "12MB", "99999999999999999999"}) {
    EXPECT_EQ(slurm_bytes({{"SLURM_MEM_PER_NODE", text}, {"SLURM_MEM_PER_CPU", text}}), 0) << text;
  }
  EXPECT_EQ(slurm_bytes({{"SLURM_MEM_PER_CPU", "9000000000000"}, {"SLURM_CPUS_ON_NODE", "99999"}}),
            0);
}

TEST(SlurmLimits, OfACpuAreMultipliedByTheCpusOnThisNode) {
  EXPECT_EQ(slurm_bytes({{"SLURM_MEM_PER_CPU", "12"},
                         {"SLURM_CPUS_ON_NODE", "8"},
                         {"SLURM_CPUS_PER_TASK", "2"},
                         {"SLURM_JOB_CPUS_PER_NODE", "16"}}),
            8 * 12 * mib);
}

TEST(SlurmLimits, OfACpuTakeTheEntryOfThisNodeWhereItHasNone) {
  const std::map<std::string, std::string> job = {{"SLURM_MEM_PER_CPU", "1"},
                                                  {"SLURM_JOB_CPUS_PER_NODE", "72(x2),36"}};
  const auto on_node = [&](const char* node) {
    auto here = job;
    here["SLURM_NODEID"] = node;
    return slurm_bytes(here) / mib;
  };
  EXPECT_EQ(slurm_bytes(job) / mib, 72);
  EXPECT_EQ(on_node("0"), 72);
  EXPECT_EQ(on_node("1"), 72);
  EXPECT_EQ(on_node("2"), 36);
}

TEST(SlurmLimits, OfACpuElseTakeTheTasksOfThisNodeTimesTheirCpus) {
  EXPECT_EQ(slurm_bytes({{"SLURM_MEM_PER_CPU", "10"},
                         {"SLURM_CPUS_PER_TASK", "3"},
                         {"SLURM_TASKS_PER_NODE", "2(x3),1"},
                         {"SLURM_NODEID", "3"}}),
            3 * 10 * mib);
  EXPECT_EQ(slurm_bytes({{"SLURM_MEM_PER_CPU", "10"},
                         {"SLURM_CPUS_PER_TASK", "3"},
                         {"SLURM_NTASKS_PER_NODE", "4"}}),
            12 * 10 * mib);
  EXPECT_EQ(slurm_bytes({{"SLURM_MEM_PER_CPU", "10"}, {"SLURM_CPUS_PER_TASK", "3"}}), 3 * 10 * mib);
  EXPECT_EQ(slurm_bytes({{"SLURM_MEM_PER_CPU", "10"}}, 5), 5 * 10 * mib);
}

TEST(ShareOf, TakesTheLimitThatLeavesARankTheLeast) {
  const std::vector<MemoryLimit> limits = {{100 * mib, "job", "job"},
                                           {60 * mib, "task", "task 0"},
                                           {900 * mib, "physical memory", "physical memory"}};
  const std::vector<std::string> alone = scopes_of(limits);
  EXPECT_EQ(share_of(limits, alone).bytes, 48 * mib);
  EXPECT_EQ(share_of(limits, alone).source, "80 % of 60.00 MiB (task)");

  const std::vector<std::string> two_ranks = {"job", "physical memory", "task 0",
                                              "job", "physical memory", "task 1"};
  EXPECT_EQ(share_of(limits, two_ranks).bytes, 40 * mib);
  EXPECT_EQ(share_of(limits, two_ranks).source, "80 % of 100.00 MiB (job), shared by 2 ranks");
}

TEST(ShareOf, CountsARankOnceThatHasSeveralLimitsOfOneScope) {
  const std::vector<MemoryLimit> limits = {{80 * mib, "/g/memory.max", "/g"},
                                           {70 * mib, "/g/memory.high", "/g"}};
  EXPECT_EQ(scopes_of(limits), std::vector<std::string>{"/g"});
  EXPECT_EQ(share_of(limits, scopes_of(limits)).bytes, 56 * mib);
}

TEST(MemoryLimits, PhysicalMemoryIsAlwaysAmongThem) {
  const auto limits = memory_limits();
  EXPECT_EQ(limits.back().source, "physical memory");
  EXPECT_THAT(share_of(limits, scopes_of(limits)).source, HasSubstr("80 % of "));
}

}  // namespace
}  // namespace moesweep::capacity
