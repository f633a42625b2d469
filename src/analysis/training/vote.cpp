#include <algorithm>

#include <moesweep/analysis/training/vote.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::training {
namespace {

std::int8_t winner(std::span<const std::int32_t> votes, const TieBreak& ties) {
  const std::int32_t most = *std::max_element(votes.begin(), votes.end());
  const auto is_tied = [&](std::int8_t c) {
    return c >= 0 && votes[static_cast<std::size_t>(c)] == most;
  };
  if (is_tied(ties.cautious_class)) return ties.cautious_class;
  const auto classes = checked_cast<std::int8_t>(votes.size());
  for (std::int8_t c = 0; c < classes; ++c) {
    if (is_tied(c) && c != ties.dangerous_class) return c;
  }
  return ties.dangerous_class;
}

}  // namespace

std::vector<std::int32_t> vote_counts(std::span<const std::string> predictions,
                                      std::int64_t classes) {
  expect(!predictions.empty(), "a vote without voters");
  expect(1 <= classes && classes <= 10, "one digit cannot name the class");
  const std::size_t samples = predictions.front().size();
  const auto columns = static_cast<std::size_t>(classes);
  std::vector<std::int32_t> votes(samples * columns, 0);
  for (const std::string& digits : predictions) {
    expect(digits.size() == samples, "heads that vote on different samples");
    for (std::size_t i = 0; i < samples; ++i) {
      const std::int64_t c = digits[i] - '0';
      expect(0 <= c && c < classes, "a prediction that names no class");
      ++votes[i * columns + static_cast<std::size_t>(c)];
    }
  }
  return votes;
}

std::vector<std::int8_t> majority_vote(std::span<const std::string> predictions,
                                       std::int64_t classes, const TieBreak& ties) {
  expect(ties.cautious_class < classes && ties.dangerous_class < classes,
         "ties broken by a class that does not exist");
  const auto votes = vote_counts(predictions, classes);
  const auto columns = static_cast<std::size_t>(classes);
  std::vector<std::int8_t> majority;
  majority.reserve(predictions.front().size());
  for (std::size_t at = 0; at < votes.size(); at += columns) {
    majority.push_back(winner(std::span(votes).subspan(at, columns), ties));
  }
  return majority;
}

}  // namespace moesweep::training
