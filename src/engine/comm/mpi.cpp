#include <chrono>
#include <deque>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include <mpi.h>
#include <unistd.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/comm/session.hpp>

#include "open_mpi_session.hpp"

namespace moesweep::comm {
namespace {

constexpr int message_tag = 1;

void require(int mpi_result, const char* call) {
  expect(mpi_result == MPI_SUCCESS, call);
}

class MpiComm final : public Comm {
 public:
  MpiComm() {
    require(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    require(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
  }
  ~MpiComm() override {
    for (auto& pending : in_flight_) MPI_Wait(&pending.request, MPI_STATUS_IGNORE);
  }

  Rank rank() const override { return Rank{rank_}; }
  int size() const override { return size_; }

  void send(Rank to, Bytes message) override {
    if (to.value == rank_) {
      to_self_.push_back({to, std::move(message)});
      return;
    }
    auto& pending = in_flight_.emplace_back(std::move(message));
    require(MPI_Isend(pending.message.data(), checked_cast<int>(pending.message.size()), MPI_BYTE,
                      to.value, message_tag, MPI_COMM_WORLD, &pending.request),
            "MPI_Isend");
  }

  void broadcast(const Bytes& message) override {
    for (int to = 0; to < size_; ++to) send(Rank{to}, message);
  }

  std::optional<Envelope> receive() override {
    release_completed_sends();
    if (!to_self_.empty()) {
      auto first = std::move(to_self_.front());
      to_self_.pop_front();
      return first;
    }
    int arrived = 0;
    MPI_Status status;
    require(MPI_Iprobe(MPI_ANY_SOURCE, message_tag, MPI_COMM_WORLD, &arrived, &status),
            "MPI_Iprobe");
    if (arrived == 0) return std::nullopt;
    int bytes = 0;
    require(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
    Envelope envelope{Rank{status.MPI_SOURCE}, Bytes(checked_cast<std::size_t>(bytes))};
    require(MPI_Recv(envelope.message.data(), bytes, MPI_BYTE, status.MPI_SOURCE, message_tag,
                     MPI_COMM_WORLD, MPI_STATUS_IGNORE),
            "MPI_Recv");
    return envelope;
  }

  double now() const override { return MPI_Wtime(); }

 private:
  struct PendingSend {
    explicit PendingSend(Bytes bytes) : message(std::move(bytes)) {}
    Bytes message;
    MPI_Request request = MPI_REQUEST_NULL;
  };

  void release_completed_sends() {
    for (auto pending = in_flight_.begin(); pending != in_flight_.end();) {
      int completed = 0;
      require(MPI_Test(&pending->request, &completed, MPI_STATUS_IGNORE), "MPI_Test");
      pending = completed != 0 ? in_flight_.erase(pending) : std::next(pending);
    }
  }

  int rank_ = 0;
  int size_ = 1;
  std::list<PendingSend> in_flight_;  // stable addresses: MPI reads the buffers
  std::deque<Envelope> to_self_;
};

std::vector<char> gather_bytes(const std::string& text, const std::vector<int>& sizes,
                               std::vector<int>& offsets) {
  int total = 0;
  for (const int size : sizes) {
    offsets.push_back(total);
    total = checked_cast<int>(std::int64_t{total} + size);
  }
  std::vector<char> all(checked_cast<std::size_t>(total));
  require(
      MPI_Gatherv(text.data(), checked_cast<int>(text.size()), MPI_CHAR, all.data(), sizes.data(),
                  offsets.data(), MPI_CHAR, coordinator_rank.value, MPI_COMM_WORLD),
      "MPI_Gatherv");
  return all;
}

class MpiSession final : public Session {
 public:
  MpiSession() {
    int provided = MPI_THREAD_SINGLE;
    require(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    if (provided < MPI_THREAD_FUNNELED) {
      throw Error(ExitCode::bad_usage, "MPI", "the library does not support MPI_THREAD_FUNNELED",
                  "use an MPI built with threads");
    }
    comm_ = std::make_unique<MpiComm>();
  }
  ~MpiSession() override {
    comm_.reset();
    MPI_Finalize();
  }
  Comm& comm() override { return *comm_; }

  std::vector<std::string> gather(const std::string& text) override {
    const int size = checked_cast<int>(text.size());
    const bool is_root = comm_->rank() == coordinator_rank;
    std::vector<int> sizes(is_root ? checked_cast<std::size_t>(comm_->size()) : 0);
    require(MPI_Gather(&size, 1, MPI_INT, sizes.data(), 1, MPI_INT, coordinator_rank.value,
                       MPI_COMM_WORLD),
            "MPI_Gather");
    std::vector<int> offsets;
    const auto all = gather_bytes(text, sizes, offsets);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      texts.emplace_back(all.data() + offsets[i], checked_cast<std::size_t>(sizes[i]));
    }
    return texts;
  }

  std::string share(const std::string& text) override {
    std::uint64_t size = text.size();
    require(MPI_Bcast(&size, 1, MPI_UINT64_T, coordinator_rank.value, MPI_COMM_WORLD), "MPI_Bcast");
    std::string shared = text;
    shared.resize(size);
    require(MPI_Bcast(shared.data(), checked_cast<int>(size), MPI_CHAR, coordinator_rank.value,
                      MPI_COMM_WORLD),
            "MPI_Bcast");
    return shared;
  }

 private:
  std::unique_ptr<MpiComm> comm_;
};

bool session_is_open() {
  int initialized = 0;
  int finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized != 0 && finalized == 0;
}

}  // namespace

std::unique_ptr<Session> open_mpi_session() {
  return std::make_unique<MpiSession>();
}

void abort_all(int exit_code) {
  if (session_is_open()) MPI_Abort(MPI_COMM_WORLD, exit_code);
  ::_exit(exit_code);
}

std::string mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  // Open MPI counts the terminating NUL, MPICH lists its build options in further lines.
  const std::string version(text, checked_cast<std::size_t>(length));
  return version.substr(0, version.find_first_of(std::string_view("\0\n", 2)));
}

}  // namespace moesweep::comm
