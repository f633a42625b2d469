#include <string>

#include <gtest/gtest.h>
#include <support/complaint.hpp>

#include <moesweep/engine/capacity/cluster.hpp>

namespace moesweep::capacity {
namespace {

using test::complaint;

TEST(ClusterMistake, MissingAndUnknownKeys) {
  const std::string shape =
      "schema = 1\nname = \"c\"\nnodes = 4\ntasks_per_node = 2\ncpus_per_task = 8\n"
      "memory_per_task = \"64GiB\"\nlauncher = \"srun\"\n";
  EXPECT_EQ(complaint([&] { parse_cluster(shape, "c.toml"); }), "accepted");
  EXPECT_EQ(
      complaint([&] { parse_cluster(shape + "[rates]\ngram_flops_per_cor = 1\n", "c.toml"); }),
      "78 c.toml:9: unknown key \"rates.gram_flops_per_cor\"; did you mean "
      "\"rates.gram_flops_per_core\"?");
  EXPECT_EQ(complaint([&] { parse_cluster("schema = 1\nname = \"c\"\n", "c.toml"); }),
            "78 c.toml: nodes is missing; Nodes of an allocation.");
  EXPECT_EQ(complaint([&] { parse_cluster("launcher = \"aprun\"\n", "c.toml"); }),
            "78 c.toml:1: launcher must be one of srun, mpirun, none, not \"aprun\"; did you mean "
            "\"srun\"?");
}

}  // namespace
}  // namespace moesweep::capacity
