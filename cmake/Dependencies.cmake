# Third-party libraries under one naming scheme, all as SYSTEM headers:
#
#   dep::cli11  dep::pg_query  dep::bpf  dep::uring  dep::re2  dep::xxhash  dep::zstd  dep::z
#   dep::threads  dep::dl
#   dep::llvm         LLVM 19, static, for the jit plugin only   (looked up on first use)
#   dep::arrow_flight libarrow + libarrow_flight, for the flight plugin only (likewise)
#
# Static archives are taken where the distribution has them, because every shared library costs the
# start of the program.
find_package(Threads REQUIRED)
find_package(GTest REQUIRED)

function(_grapnel_dep name header library)
  if(library)
    find_library(GRAPNEL_LIB_${name} NAMES ${library} REQUIRED)
  endif()
  find_path(GRAPNEL_INC_${name} NAMES ${header} REQUIRED)
  mark_as_advanced(GRAPNEL_LIB_${name} GRAPNEL_INC_${name})
  add_library(dep_${name} INTERFACE)
  target_include_directories(dep_${name} SYSTEM INTERFACE "${GRAPNEL_INC_${name}}")
  if(library)
    target_link_libraries(dep_${name} INTERFACE "${GRAPNEL_LIB_${name}}" ${ARGN})
  endif()
  add_library(dep::${name} ALIAS dep_${name})
endfunction()

add_library(dep_threads INTERFACE)
target_link_libraries(dep_threads INTERFACE Threads::Threads)
add_library(dep::threads ALIAS dep_threads)
add_library(dep_dl INTERFACE)
target_link_libraries(dep_dl INTERFACE ${CMAKE_DL_LIBS})
add_library(dep::dl ALIAS dep_dl)

_grapnel_dep(z zlib.h libz.a)
_grapnel_dep(zstd zstd.h libzstd.a)
_grapnel_dep(elf libelf.h libelf.a dep_z)
_grapnel_dep(bpf bpf/libbpf.h libbpf.a dep_elf)
_grapnel_dep(uring liburing.h liburing.a)
_grapnel_dep(re2 re2/re2.h libre2.a Threads::Threads)
_grapnel_dep(xxhash xxhash.h libxxhash.a)
_grapnel_dep(pg_query pg_query.h libpg_query.a Threads::Threads)
_grapnel_dep(cli11 CLI/CLI.hpp "")

# macro, not function: imported targets belong to the directory that asks for them
macro(grapnel_need_llvm)
  if(NOT TARGET dep_llvm)
    find_program(LLVM_CONFIG NAMES llvm-config-19 REQUIRED)
    execute_process(COMMAND ${LLVM_CONFIG} --includedir OUTPUT_VARIABLE _llvm_inc
                    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${LLVM_CONFIG} --libdir OUTPUT_VARIABLE _llvm_lib
                    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    execute_process(
      COMMAND ${LLVM_CONFIG} --link-static --libs bpf x86 orcjit passes linker bitreader
      OUTPUT_VARIABLE _llvm_libs OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(_llvm_libs UNIX_COMMAND "${_llvm_libs}")
    add_library(dep_llvm INTERFACE)
    target_include_directories(dep_llvm SYSTEM INTERFACE "${_llvm_inc}")
    target_compile_definitions(dep_llvm INTERFACE __STDC_CONSTANT_MACROS __STDC_FORMAT_MACROS
                                                  __STDC_LIMIT_MACROS)
    # LLVM is built without RTTI; a class derived from one of its own must be so too.
    target_compile_options(dep_llvm INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>")
    target_link_libraries(dep_llvm INTERFACE "-L${_llvm_lib}" ${_llvm_libs} dep_zstd dep_z
                                             Threads::Threads ${CMAKE_DL_LIBS} m)
    add_library(dep::llvm ALIAS dep_llvm)
  endif()
endmacro()

macro(grapnel_need_arrow_flight)
  if(NOT TARGET dep_arrow_flight)
    find_package(ArrowWheel REQUIRED)
    add_library(dep_arrow_flight INTERFACE)
    target_link_libraries(dep_arrow_flight INTERFACE ArrowFlight::arrow_flight_shared
                                                     Arrow::arrow_shared)
    add_library(dep::arrow_flight ALIAS dep_arrow_flight)
  endif()
endmacro()
