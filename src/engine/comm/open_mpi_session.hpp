#pragma once

#include <memory>

#include <moesweep/engine/comm/session.hpp>

namespace moesweep::comm {

/// MPI_Init_thread(MPI_THREAD_FUNNELED) now, MPI_Finalize in the destructor.
std::unique_ptr<Session> open_mpi_session();

}  // namespace moesweep::comm
