#pragma once
// Values that several units need at once, made by the first that asks.

#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace moesweep::jobs {

/// Thread-safe. A value lives while somebody holds it; `keep` holds all of them.
template <typename Key, typename Value>
class SharedValues {
 public:
  explicit SharedValues(bool keep) : keep_(keep) {}

  /// `make` runs once for all who ask at the same time; what it throws reaches its caller, and the
  /// next one tries again.
  std::shared_ptr<const Value> get(const Key& key, const std::function<Value()>& make) {
    auto& slot = slot_of(key);
    const std::lock_guard lock(slot.mutex);
    if (auto value = slot.value.lock()) return value;
    auto value = std::make_shared<const Value>(make());
    slot.value = value;
    if (keep_) slot.kept = value;
    return value;
  }

 private:
  struct Slot {
    std::mutex mutex;
    std::weak_ptr<const Value> value;
    std::shared_ptr<const Value> kept;
  };
  Slot& slot_of(const Key& key) {
    const std::lock_guard lock(mutex_);
    return slots_[key];
  }

  bool keep_;
  std::mutex mutex_;
  std::map<Key, Slot> slots_;
};

}  // namespace moesweep::jobs
