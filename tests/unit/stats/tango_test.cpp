#include <moesweep/core/stats/proportions.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

TEST(Tango, AgreesWithBisectionInDecimals) {
  for_each_golden("tango", [](const GoldenCase& golden) {
    const Discordant pairs{golden.number("b"), golden.number("c"), golden.number("n")};
    const double alpha = golden.number("alpha");
    EXPECT_TRUE(agrees(tango_upper(pairs, alpha), golden.number("upper")));
    EXPECT_TRUE(agrees(tango_lower(pairs, alpha), golden.number("lower")));
  });
}

// PropCIs::scoreci.mp(25, 28, 618) of R at 90 %, and the 95 % interval of the airway data of Bentur
// and others (2009) in Fagerland, Lydersen and Laake (2014). Neither is from make_goldens.py.
TEST(Tango, GivesPublishedIntervals) {
  const auto equivalence = tango_interval({28.0, 25.0, 618.0}, 0.10);
  EXPECT_NEAR(equivalence.lo, -0.0148, 5e-5);
  EXPECT_NEAR(equivalence.hi, 0.0247, 5e-5);
  const auto airways = tango_interval({1.0, 7.0, 21.0}, 0.05);
  EXPECT_NEAR(airways.lo, -0.517, 5e-4);
  EXPECT_NEAR(airways.hi, -0.026, 5e-4);
}

TEST(Tango, WithoutDiscordantPairsTheBoundHasAClosedForm) {
  const double z = 1.6448536269514722;
  EXPECT_NEAR(tango_upper({0.0, 0.0, 150.0}, 0.05), z * z / (150.0 + z * z), 1e-15);
  EXPECT_NEAR(tango_lower({0.0, 0.0, 150.0}, 0.05), -z * z / (150.0 + z * z), 1e-15);
}

TEST(Tango, TheEndsOfTheScaleAreBounds) {
  EXPECT_EQ(tango_upper({0.0, 0.0, 0.0}, 0.05), 1.0);
  EXPECT_EQ(tango_lower({0.0, 0.0, 0.0}, 0.05), -1.0);
  EXPECT_EQ(tango_upper({9.0, 0.0, 9.0}, 0.05), 1.0);
  EXPECT_EQ(tango_lower({0.0, 9.0, 9.0}, 0.05), -1.0);
  EXPECT_LT(tango_lower({1.0, 0.0, 1.0}, 0.05), 1.0);
}

TEST(Tango, TheBoundComesNearerAsCountsAreScaledUp) {
  double before = 1.0;
  for (const double scale : {1.0, 2.5, 10.0, 1e3, 1e6}) {
    const double bound = tango_upper({4.0 * scale, 3.0 * scale, 100.0 * scale}, 0.05);
    EXPECT_LT(bound, before);
    EXPECT_GT(bound, 0.01);
    before = bound;
  }
  EXPECT_NEAR(before, 0.01, 1e-4);
}

}  // namespace
}  // namespace moesweep::stats
