#pragma once
// MPI behind the port. Only this module sees <mpi.h>; MPI-3.1 is enough (Open MPI and MPICH are tested).

#include <memory>
#include <string>

#include <moesweep/comm/comm.hpp>

namespace moesweep::comm {

/// True when a launcher started this process as one of an MPI job (mpirun, or srun with PMIx or PMI): otherwise
/// MPI_Init must not be called, it would cost seconds or fail inside `salloc` and `srun --pty`.
bool launched_by_mpi();

/// MPI_Init (MPI_THREAD_FUNNELED) to MPI_Finalize on the calling thread.
class MpiSession {
 public:
  /// Throws Error(bad_usage) when the library cannot give MPI_THREAD_FUNNELED.
  MpiSession();
  /// Waits for all ranks.
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  /// Every message sent must have been received when the session ends.
  Comm& comm() { return *comm_; }

 private:
  std::unique_ptr<Comm> comm_;
};

/// Ends all ranks with this code: MPI_Abort inside a session, _exit elsewhere. For the terminate handler and unrecoverable ends.
[[noreturn]] void abort_all(int exit_code);

/// "Open MPI v4.1.4, ..." in one line.
std::string mpi_version();

}  // namespace moesweep::comm
