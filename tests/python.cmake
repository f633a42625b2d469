# Tests that drive the real binary from Python's unittest. Debian's interpreter, because h5py and numpy come with it.
set(MOESWEEP_PYTHON /usr/bin/python3 CACHE FILEPATH "Python 3 with h5py and numpy, for the tests")
execute_process(COMMAND ${MOESWEEP_PYTHON} -c "import h5py, numpy" RESULT_VARIABLE python_failed OUTPUT_QUIET ERROR_QUIET)
if(NOT python_failed STREQUAL "0")
  message(FATAL_ERROR "The tests need ${MOESWEEP_PYTHON} with h5py and numpy: install the Debian packages python3-h5py "
                      "and python3-numpy, or name another interpreter with -DMOESWEEP_PYTHON=, or leave the tests out "
                      "with -DMOESWEEP_TESTS=OFF")
endif()

# moesweep_program_test(<name> SCRIPT file.py [ARGS ...] LABELS ... [TIMEOUT seconds] [PROCESSORS n])
# A test that cannot run here ends with 77 and says why: ctest lists it as skipped, never as passed.
function(moesweep_program_test name)
  cmake_parse_arguments(ARG "" "SCRIPT;TIMEOUT;PROCESSORS" "ARGS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set(slowdown 1)
  if(MOESWEEP_SANITIZE)
    set(slowdown 6)
  endif()
  math(EXPR ARG_TIMEOUT "${slowdown} * ${ARG_TIMEOUT}")
  if(NOT ARG_PROCESSORS)
    set(ARG_PROCESSORS 1)
  endif()
  add_test(NAME ${name} COMMAND ${MOESWEEP_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_SCRIPT} ${ARG_ARGS})
  # OMPI_*: Open MPI's own switches, which MPICH ignores: containers run as root, with fewer cores than ranks.
  set_tests_properties(${name} PROPERTIES
    LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} PROCESSORS ${ARG_PROCESSORS} SKIP_RETURN_CODE 77
    ENVIRONMENT "MOESWEEP=$<TARGET_FILE:moesweep>;MOESWEEP_TEST_SLOWDOWN=${slowdown};MOESWEEP_SOURCE=${PROJECT_SOURCE_DIR};MOESWEEP_MPIEXEC=${MPIEXEC_EXECUTABLE};MOESWEEP_RANKS_FLAG=${MPIEXEC_NUMPROC_FLAG};PYTHONPATH=${PROJECT_SOURCE_DIR}/tests/support:${PROJECT_SOURCE_DIR}/tests/cli_inputs;OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1;OMPI_MCA_hwloc_base_binding_policy=none")
endfunction()
