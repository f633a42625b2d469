# Flags that every target shares. Round trips are defined step by step in IEEE binary32 (see
# include/moesweep/model/kernels), hence no contraction and no fast-math anywhere.
add_library(moesweep_flags INTERFACE)
target_compile_features(moesweep_flags INTERFACE cxx_std_20)
target_compile_options(moesweep_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -ffp-contract=off
  $<$<BOOL:${MOESWEEP_WERROR}>:-Werror>)
if(MOESWEEP_SANITIZE)
  target_compile_options(moesweep_flags INTERFACE -fsanitize=${MOESWEEP_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all
                         # GCC 12 says it of std::regex when it instruments (GCC bug 105562).
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(moesweep_flags INTERFACE -fsanitize=${MOESWEEP_SANITIZE})
endif()
if(MOESWEEP_FUZZ)
  target_compile_options(moesweep_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(moesweep_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# moesweep_sources(<variable> [EXCLUDE ...]): the sources of this folder and those below it.
function(moesweep_sources variable)
  cmake_parse_arguments(ARG "" "" "EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cpp)
  if(ARG_EXCLUDE)
    foreach(excluded IN LISTS ARG_EXCLUDE)
      if(NOT excluded IN_LIST sources)
        message(FATAL_ERROR "${CMAKE_CURRENT_SOURCE_DIR} has no ${excluded} to be left out")
      endif()
    endforeach()
    list(REMOVE_ITEM sources ${ARG_EXCLUDE})
  endif()
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()

# moesweep_module(<name> [EXCLUDE ...] [SOURCES ...] [PUBLIC ...] [PRIVATE ...])
# Defines moesweep_<name> from all of src/<layer>/<name> but EXCLUDE, and from SOURCES that lie elsewhere. Private headers
# stay there. PUBLIC and PRIVATE are linked: modules whose headers the public headers include, and others.
function(moesweep_module name)
  cmake_parse_arguments(ARG "" "" "EXCLUDE;SOURCES;PUBLIC;PRIVATE" ${ARGN})
  moesweep_sources(sources EXCLUDE ${ARG_EXCLUDE})
  add_library(moesweep_${name} STATIC ${sources} ${ARG_SOURCES})
  target_include_directories(moesweep_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include
                             PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(moesweep_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} moesweep_flags)
endfunction()
