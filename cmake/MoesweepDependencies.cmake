# Finds what the build needs. Everything here is in Debian 12, in Spack (spack.yaml) and in conda-forge;
# any MPI-3.1, HDF5 >= 1.10 and BLAS/LAPACK that CMake finds will do.
# find_package(NAME VERSION) leaves it to the package which versions will do, and some (simdjson 3.6 and newer, Eigen 5)
# accept only their own minor or major. Whatever is as new as what we were tested with will do.
# moesweep_find(<package> <oldest version> [further arguments of find_package ...])
macro(moesweep_find package oldest)
  find_package(${package} REQUIRED ${ARGN})
  if(NOT "${${package}_VERSION}" STREQUAL "" AND "${${package}_VERSION}" VERSION_LESS "${oldest}")
    message(FATAL_ERROR "${package} ${${package}_VERSION} is too old: ${oldest} or newer is needed (found in ${${package}_DIR})")
  endif()
endmacro()

if(POLICY CMP0167)
  cmake_policy(SET CMP0167 NEW)  # Boost's own package: CMake 3.30 has no module of its own for it
endif()
set(CMAKE_THREAD_PREFER_PTHREAD ON)
find_package(Threads REQUIRED)
find_package(MPI 3.1 REQUIRED COMPONENTS CXX)
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 1.10 REQUIRED COMPONENTS C)
find_package(BLAS REQUIRED)
find_package(LAPACK REQUIRED)
find_path(LAPACKE_INCLUDE_DIR lapacke.h PATH_SUFFIXES lapacke openblas REQUIRED)
find_library(LAPACKE_LIBRARY NAMES lapacke)
find_path(CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas openblas-serial
          HINTS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} REQUIRED)
moesweep_find(Eigen3 3.4 NO_MODULE)
moesweep_find(TBB 2021)
moesweep_find(tomlplusplus 3)
moesweep_find(nlohmann_json 3.10)
moesweep_find(CLI11 2.1)
moesweep_find(simdjson 3.0)
moesweep_find(fmt 9)
moesweep_find(spdlog 1.10)
moesweep_find(hwy 1.0.3 CONFIG)
moesweep_find(Boost 1.74)
find_package(ZLIB REQUIRED)
# Not its CMake package: Debian's names command line tools that are in another package.
find_path(LIBZIP_INCLUDE_DIR zip.h REQUIRED)
find_library(LIBZIP_LIBRARY zip REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)  # older packages of it have no CMake package
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
find_library(XXHASH_LIBRARY xxhash REQUIRED)
find_package(SQLite3 QUIET)
if(NOT SQLite3_FOUND)
  message(STATUS "SQLite not found: `export --to sqlite` will say so and exit 64")
endif()

add_library(moesweep_hdf5 INTERFACE)
target_include_directories(moesweep_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(moesweep_hdf5 INTERFACE ${HDF5_C_LIBRARIES})
target_compile_definitions(moesweep_hdf5 INTERFACE ${HDF5_C_DEFINITIONS})

add_library(moesweep_lapack INTERFACE)
target_include_directories(moesweep_lapack SYSTEM INTERFACE ${CBLAS_INCLUDE_DIR} ${LAPACKE_INCLUDE_DIR})
target_link_libraries(moesweep_lapack INTERFACE LAPACK::LAPACK BLAS::BLAS)
if(LAPACKE_LIBRARY)  # OpenBLAS builds may carry LAPACKE inside
  target_link_libraries(moesweep_lapack INTERFACE ${LAPACKE_LIBRARY})
endif()

add_library(moesweep_xxhash INTERFACE)
target_include_directories(moesweep_xxhash SYSTEM INTERFACE ${XXHASH_INCLUDE_DIR})
target_link_libraries(moesweep_xxhash INTERFACE ${XXHASH_LIBRARY})

add_library(moesweep_libzip INTERFACE)
target_include_directories(moesweep_libzip SYSTEM INTERFACE ${LIBZIP_INCLUDE_DIR})
target_link_libraries(moesweep_libzip INTERFACE ${LIBZIP_LIBRARY})
