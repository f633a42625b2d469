#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/training/vote.hpp>

namespace moesweep::training {
namespace {

using testing::ElementsAre;

constexpr TieBreak veto_over_approve{.cautious_class = 2, .dangerous_class = 0};

TEST(Vote, CountsAreBySampleAndClass) {
  const std::vector<std::string> heads{"01", "02", "11"};
  EXPECT_THAT(vote_counts(heads, 3), ElementsAre(2, 1, 0, 0, 2, 1));
}

TEST(Vote, TheMajorityWinsEvenAgainstTheCautiousClass) {
  const std::vector<std::string> heads{"00", "00", "21"};
  EXPECT_THAT(majority_vote(heads, 3, veto_over_approve), ElementsAre(0, 0));
}

TEST(Vote, TiesGoToTheCautiousClassIfItIsAmongThem) {
  const std::vector<std::string> heads{"021", "202"};
  EXPECT_THAT(majority_vote(heads, 3, veto_over_approve), ElementsAre(2, 2, 2));
}

TEST(Vote, OtherTiesGoToTheLowestClassThatIsNotTheDangerousOne) {
  const std::vector<std::string> heads{"01", "13"};
  EXPECT_THAT(majority_vote(heads, 4, veto_over_approve), ElementsAre(1, 1));
}

TEST(Vote, WithoutAForbiddenErrorTheLowestTiedClassWins) {
  const std::vector<std::string> heads{"21", "12"};
  EXPECT_THAT(majority_vote(heads, 3, TieBreak{}), ElementsAre(1, 1));
}

TEST(Vote, ASingleHeadIsItsOwnMajority) {
  const std::vector<std::string> heads{"2010"};
  EXPECT_THAT(majority_vote(heads, 3, veto_over_approve), ElementsAre(2, 0, 1, 0));
}

TEST(VoteDeathTest, HeadsOfDifferentSampleCountsAreABug) {
  const std::vector<std::string> heads{"20", "201"};
  EXPECT_DEATH(vote_counts(heads, 3), "different samples");
}

}  // namespace
}  // namespace moesweep::training
