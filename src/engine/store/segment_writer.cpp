#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/signal_stack.hpp>
#include <moesweep/engine/store/digest.hpp>
#include <moesweep/engine/store/segment_writer.hpp>

namespace moesweep::store {

using Clock = std::chrono::steady_clock;

struct SegmentWriter::State {
  explicit State(SegmentWriterOptions o)
      : options(std::move(o)), thread(on_own_signal_stack([this] { run(); })) {}

  void run();
  bool is_due() const;
  std::string publish_image(const std::vector<std::byte>& image);

  const SegmentWriterOptions options;
  std::int64_t serial = 0;  // I/O thread only

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<UnitRecord> pending;
  std::vector<std::uint64_t> pending_tickets;
  std::int64_t pending_bytes = 0;
  Clock::time_point oldest_pending;
  bool flush_asked = false;
  bool stopping = false;
  std::deque<Published> published;
  std::optional<Error> failure;

  std::thread thread;  // last: starts when the rest exists
};

bool SegmentWriter::State::is_due() const {
  if (pending.empty()) return false;
  return flush_asked || pending_bytes >= options.flush_bytes ||
         Clock::now() - oldest_pending >= std::chrono::duration<double>(options.flush_seconds);
}

void SegmentWriter::State::run() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    if (!is_due()) {
      if (pending.empty()) {
        changed.wait(lock);
      } else {
        changed.wait_until(
            lock, oldest_pending + std::chrono::duration_cast<Clock::duration>(
                                       std::chrono::duration<double>(options.flush_seconds)));
      }
      continue;
    }
    auto records = std::exchange(pending, {});
    Published group{{}, std::exchange(pending_tickets, {})};
    pending_bytes = 0;
    flush_asked = false;
    lock.unlock();
    std::optional<Error> failed;
    catch_failures(
        [&] {
          for (auto& record : records) record.unit.payload_hash = digest_of(record.rows).hex();
          const auto image = encode_segment(records);
          group.segment = publish_image(image);
        },
        [&](const Error& error) { failed = error; });
    lock.lock();
    if (failed)
      failure = std::move(failed);
    else
      published.push_back(std::move(group));
  }
}

// After a failed fsync the kernel may have dropped the dirty pages of that file: the image goes to
// a new file, once.
std::string SegmentWriter::State::publish_image(const std::vector<std::byte>& image) {
  const auto hash = hash128(image);
  const auto publish_as = [&](const std::string& name) {
    publish_file(options.directory / name, image);
    return name;
  };
  try {
    return publish_as(segment_name(options.epoch, options.rank, ++serial, hash));
  } catch (const Error&) {
    return publish_as(segment_name(options.epoch, options.rank, ++serial, hash));
  }
}

SegmentWriter::SegmentWriter(SegmentWriterOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

SegmentWriter::~SegmentWriter() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

void SegmentWriter::put(std::uint64_t ticket, UnitRecord record) {
  const auto bytes = records::approximate_bytes(record.rows);
  const std::lock_guard lock(state_->mutex);
  if (state_->pending.empty()) state_->oldest_pending = Clock::now();
  state_->pending.push_back(std::move(record));
  state_->pending_tickets.push_back(ticket);
  state_->pending_bytes += bytes;
  state_->changed.notify_all();
}

void SegmentWriter::flush() {
  const std::lock_guard lock(state_->mutex);
  state_->flush_asked = !state_->pending.empty();
  state_->changed.notify_all();
}

std::optional<SegmentWriter::Published> SegmentWriter::poll() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->published.empty()) {
    auto first = std::move(state_->published.front());
    state_->published.pop_front();
    return first;
  }
  if (const auto failure = std::exchange(state_->failure, std::nullopt)) throw *failure;
  return std::nullopt;
}

}  // namespace moesweep::store
