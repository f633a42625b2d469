#include <chrono>
#include <deque>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/comm/comm.hpp>

namespace moesweep::comm {
namespace {

class LocalComm final : public Comm {
 public:
  Rank rank() const override { return coordinator_rank; }
  int size() const override { return 1; }
  void send(Rank to, Bytes message) override {
    expect(to == coordinator_rank, "a local sweep has one rank");
    inbox_.push_back({to, std::move(message)});
  }
  void broadcast(const Bytes& message) override { send(coordinator_rank, message); }
  std::optional<Envelope> receive() override {
    if (inbox_.empty()) return std::nullopt;
    auto first = std::move(inbox_.front());
    inbox_.pop_front();
    return first;
  }
  double now() const override {
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(since_start).count();
  }

 private:
  std::deque<Envelope> inbox_;
};

}  // namespace

std::unique_ptr<Comm> make_local_comm() {
  return std::make_unique<LocalComm>();
}

}  // namespace moesweep::comm
