#pragma once
// The processes of one sweep, from start to end: one `local` rank, or the ranks of an MPI job. MPI
// stays behind this header; MPI-3.1 is enough (Open MPI and MPICH are tested).

#include <memory>
#include <string>
#include <vector>

#include <moesweep/engine/comm/comm.hpp>

namespace moesweep::comm {

class Session {
 public:
  /// Waits for all ranks (MPI_Finalize). Every message sent must have been received by then.
  virtual ~Session() = default;
  virtual Comm& comm() = 0;

  // Collectives: every rank calls them in the same order, outside the message loop.

  /// The texts of all ranks in rank order, on rank 0; nothing on the others.
  virtual std::vector<std::string> gather(const std::string& text) = 0;
  /// Rank 0's text, on every rank.
  virtual std::string share(const std::string& text) = 0;
};

/// True when a launcher started this process as one of an MPI job (mpirun, or srun with PMIx or
/// PMI). Otherwise MPI_Init must not be called: it would cost seconds, or fail inside `salloc` and
/// `srun --pty`.
bool launched_by_mpi();

/// True in the first process of an MPI or Slurm launch, and in one started alone. For what all
/// processes meet alike before there is a session.
bool is_first_of_launch();

/// The MPI session when launched_by_mpi(), else a local one. Installs nothing, starts no threads.
/// Throws Error(bad_usage) when the MPI library cannot give MPI_THREAD_FUNNELED, or when several
/// Slurm tasks were started without MPI (each would be a sweep of its own).
std::unique_ptr<Session> open_session();

/// Ends all ranks with this code: MPI_Abort inside an MPI session, _exit elsewhere. For the
/// terminate handler.
[[noreturn]] void abort_all(int exit_code);

/// "Open MPI v4.1.4, ..." in one line.
std::string mpi_version();

}  // namespace moesweep::comm
