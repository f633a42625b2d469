#pragma once
// Steps of a randomized low-rank sketch of a symmetric matrix G = A^T A.

#include <cstdint>
#include <vector>

#include <moesweep/core/base/philox.hpp>

namespace moesweep::kernels {

/// Buffers of the caller, column-major.
struct SketchSpace {
  std::int64_t side;  ///< of G
  std::int64_t rank;  ///< columns of the sketch
  double* basis;      ///< side x rank
  double* image;      ///< side x rank
  double* scratch;    ///< sketch_scratch(rank)
};
std::int64_t sketch_scratch(std::int64_t rank);

/// Element (i, j) of `basis` is number j * side + i of the key's sketch stream.
void fill_with_normals(const SketchSpace& space, PhiloxKey key);

/// `basis` to an orthonormal basis of its columns (Householder QR).
void orthonormalize(const SketchSpace& space);

/// With `image` = G `basis`: the squared singular values of Q^T A, Q an orthonormal basis of
/// A `basis`; descending. Overwrites all buffers. Error(bad_input) when LAPACK gives up.
std::vector<double> projected_eigenvalues(const SketchSpace& space);

}  // namespace moesweep::kernels
