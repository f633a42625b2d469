#include <cstdlib>
#include <cstring>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/comm/session.hpp>

#include "open_mpi_session.hpp"

namespace moesweep::comm {
namespace {

class LocalSession final : public Session {
 public:
  Comm& comm() override { return *comm_; }
  std::vector<std::string> gather(const std::string& text) override { return {text}; }
  std::string share(const std::string& text) override { return text; }

 private:
  std::unique_ptr<Comm> comm_ = make_local_comm();
};

// srun without --mpi starts independent processes.
void refuse_tasks_without_mpi() {
  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (tasks == nullptr || std::strtol(tasks, nullptr, 10) <= 1) return;
  throw Error(
      ExitCode::bad_usage, "srun",
      std::string("started ") + tasks + " tasks without MPI: each would be a sweep of its own",
      "use `srun --mpi=pmix` or `mpirun`");
}

}  // namespace

bool launched_by_mpi() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

bool is_first_of_launch() {
  // mpirun first: below it, the variables of Slurm are those of its own helpers.
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const char* rank = std::getenv(name)) return std::strcmp(rank, "0") == 0;
  }
  return true;
}

std::unique_ptr<Session> open_session() {
  if (launched_by_mpi()) return open_mpi_session();
  refuse_tasks_without_mpi();
  return std::make_unique<LocalSession>();
}

}  // namespace moesweep::comm
