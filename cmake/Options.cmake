# Language level, warnings, code generation: the same for every target of the project.
#
#   GRAPNEL_SANITIZE=ON   AddressSanitizer + UndefinedBehaviorSanitizer; no plugins, no bench.
#   GRAPNEL_WERROR=OFF    warnings stay warnings (for compilers that nobody has tried yet).

option(GRAPNEL_SANITIZE "Build with ASan and UBSan, without plugins" OFF)
option(GRAPNEL_WERROR "Treat warnings as errors" ON)

if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  message(FATAL_ERROR "grapnel runs on x86-64 only; this is ${CMAKE_SYSTEM_PROCESSOR}")
endif()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON) # the static libraries end up in plugins too
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

# No -DNDEBUG: assert() guards invariants whose breach would be a wrong answer.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")

# Everything below is for C and C++ alone; the embedded assembler files need none of it.
add_library(grapnel_options INTERFACE)
set(_langs "$<COMPILE_LANGUAGE:C,CXX>")
target_compile_options(grapnel_options INTERFACE
  "$<${_langs}:-Wall;-Wextra;-Wpedantic;-fno-plt;-fno-omit-frame-pointer;-mno-omit-leaf-frame-pointer>"
  "$<${_langs}:-ffunction-sections;-fdata-sections>"
  # No path of the build machine in the binaries; asserts and messages are relative to the source.
  "$<${_langs}:-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=>")
# libstdc++ 12's own std::stable_sort uses a function that it declares deprecated; clang says so.
target_compile_options(grapnel_options INTERFACE
  "$<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-deprecated-declarations>")
if(GRAPNEL_WERROR)
  target_compile_options(grapnel_options INTERFACE "$<${_langs}:-Werror>")
endif()
# PRIu64 and __int128 are used on purpose: Linux x86-64 is the only target.
target_compile_definitions(grapnel_options INTERFACE "$<${_langs}:_GNU_SOURCE>")
target_include_directories(grapnel_options INTERFACE "${PROJECT_SOURCE_DIR}/src"
                                                     "${PROJECT_SOURCE_DIR}/include")
target_link_options(grapnel_options INTERFACE -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro
                                              -Wl,-z,now)

if(GRAPNEL_SANITIZE)
  set(_san -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_compile_options(grapnel_options INTERFACE "$<${_langs}:${_san}>")
  target_compile_definitions(grapnel_options INTERFACE "$<${_langs}:GRAPNEL_SANITIZE=1>")
  target_link_options(grapnel_options INTERFACE ${_san})
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # A second clone, or a second binary directory, finds what the first one compiled: the prefix map
  # above keeps the directories out of the objects, so they need not be told apart.
  set(_launcher env CCACHE_NOHASHDIR=1 "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" "${CCACHE_PROGRAM}")
  set(CMAKE_C_COMPILER_LAUNCHER ${_launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${_launcher})
endif()
