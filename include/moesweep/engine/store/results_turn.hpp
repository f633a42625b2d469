#pragma once
// Whose results.h5 stays: that of the aggregation whose look at the segments began last. A slow one
// that began in the middle of a sweep never replaces that of the finished sweep.
//
//   lock/results-000007.look   the 7th look at the segments has begun
//   lock/results-000007.made   results.h5 is of the 7th look, or is about to be
//   lock/results.lock          held (flock) while one decides and renames

#include <cstdint>
#include <filesystem>
#include <functional>

namespace moesweep::store {

class ResultsTurn {
 public:
  /// Takes the next number, before the segments are looked at: an exclusive creation, which works
  /// on every shared file system. Error(io_error) where `lock_directory` cannot be written.
  explicit ResultsTurn(std::filesystem::path lock_directory);
  ~ResultsTurn();
  ResultsTurn(const ResultsTurn&) = delete;
  ResultsTurn& operator=(const ResultsTurn&) = delete;

  /// Calls `write`, which replaces results.h5. Returns false when results.h5 is of a later look:
  /// then look again. Where the file system has no file locks, a quicker one may have been
  /// replaced; that is seen afterwards, and false too.
  bool publish(const std::function<void()>& write);

 private:
  std::filesystem::path lock_directory_;
  std::int64_t number_ = 0;
  bool is_made_ = false;
};

}  // namespace moesweep::store
