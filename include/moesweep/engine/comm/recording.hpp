#pragma once
// A transport for tests and simulations: keeps what was sent, delivers what it is told to, on a
// clock that it is told.

#include <deque>
#include <utility>
#include <vector>

#include <moesweep/engine/comm/comm.hpp>

namespace moesweep::comm {

class RecordingComm final : public Comm {
 public:
  RecordingComm(Rank rank, int size) : rank_(rank), size_(size) {}

  struct Sent {
    Rank to;
    Bytes message;
  };
  /// What was sent since the last call.
  std::vector<Sent> take_sent() { return std::exchange(sent_, {}); }
  void deliver(Rank from, Bytes message) { inbox_.push_back({from, std::move(message)}); }
  void set_now(double seconds) { now_ = seconds; }

  Rank rank() const override { return rank_; }
  int size() const override { return size_; }
  void send(Rank to, Bytes message) override { sent_.push_back({to, std::move(message)}); }
  void broadcast(const Bytes& message) override {
    for (int to = 0; to < size_; ++to) sent_.push_back({Rank{to}, message});
  }
  std::optional<Envelope> receive() override {
    if (inbox_.empty()) return std::nullopt;
    auto first = std::move(inbox_.front());
    inbox_.pop_front();
    return first;
  }
  double now() const override { return now_; }

 private:
  Rank rank_;
  int size_;
  double now_ = 0.0;
  std::vector<Sent> sent_;
  std::deque<Envelope> inbox_;
};

}  // namespace moesweep::comm
