# What a folder of src/ says in its CMakeLists.txt.
#
#   grapnel_library(NAME SOURCES a.cpp... [DEPS grapnel::base dep::re2...])
#       Static library grapnel_NAME, alias grapnel::NAME. DEPS are public: who links this one gets
#       their headers too. Only folders earlier in the order of the top CMakeLists.txt can be named;
#       one whose folder does not exist yet makes this library be left out, with a message.
#
#   grapnel_plugin(NAME SOURCES ... [DEPS ...] [LLVM] [ARROW_FLIGHT])
#       Shared module build/libgrapnel-NAME.so, opened by dlopen beside the program, target
#       grapnel_plugin_NAME. Hides everything but what the source marks
#       __attribute__((visibility("default"))): keep that a small extern "C" interface, over which no
#       exception passes. LLVM links LLVM 19 statically and strips; ARROW_FLIGHT links the wheel's
#       libarrow and libarrow_flight, which are put in build/arrow/ and found from there.
#       Not built with sanitizers: test if(TARGET grapnel_plugin_NAME).
#
#   grapnel_program(NAME SOURCES ... [DEPS ...])
#       Program build/NAME.
#
#   grapnel_unit_test(FOLDER [SOURCES ...] [DEPS ...])
#       Executable FOLDER_test from tests/unit/FOLDER/*_test.cpp (plus other .cpp files lying there),
#       linked with grapnel::FOLDER and googletest's main. tests/CMakeLists.txt calls this for every
#       folder that is named after a library (hooks_pipe too); one that needs more has its own
#       tests/unit/FOLDER/CMakeLists.txt with this call.
#       Tests run in the source tree's root; $GRAPNEL_BUILD_DIR names the binary directory and
#       $GRAPNEL_TEST_TMP a directory of its own for temporary files.
#
# Quick private build of a part: cmake -S . -B build/mine -G Ninja -DGRAPNEL_ONLY_FOLDERS="base;op"

function(_grapnel_check_deps name result)
  set(${result} TRUE PARENT_SCOPE)
  foreach(dep IN LISTS ARGN)
    if(dep MATCHES "^grapnel::(.+)$" AND NOT TARGET ${dep})
      if(EXISTS "${PROJECT_SOURCE_DIR}/src/${CMAKE_MATCH_1}/CMakeLists.txt"
         AND CMAKE_MATCH_1 IN_LIST GRAPNEL_FOLDERS
         AND NOT CMAKE_MATCH_1 IN_LIST GRAPNEL_LEFT_OUT)
        message(FATAL_ERROR "${name} uses ${dep}, which comes later: see the order of the folders "
                            "in the top CMakeLists.txt")
      endif()
      message(WARNING "${name} is left out: it needs ${dep}, which is not there")
      set_property(GLOBAL APPEND PROPERTY GRAPNEL_LEFT_OUT "${name}")
      set(${result} FALSE PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

function(grapnel_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  get_property(GRAPNEL_LEFT_OUT GLOBAL PROPERTY GRAPNEL_LEFT_OUT)
  _grapnel_check_deps(${name} complete ${arg_DEPS})
  if(NOT complete)
    return()
  endif()
  if(arg_SOURCES)
    add_library(grapnel_${name} STATIC ${arg_SOURCES})
    target_link_libraries(grapnel_${name} PUBLIC grapnel_options ${arg_DEPS})
  else()
    add_library(grapnel_${name} INTERFACE)
    target_link_libraries(grapnel_${name} INTERFACE grapnel_options ${arg_DEPS})
  endif()
  add_library(grapnel::${name} ALIAS grapnel_${name})
endfunction()

function(grapnel_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  get_property(GRAPNEL_LEFT_OUT GLOBAL PROPERTY GRAPNEL_LEFT_OUT)
  _grapnel_check_deps(${name} complete ${arg_DEPS})
  if(NOT complete)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE grapnel_options ${arg_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
endfunction()

function(grapnel_plugin name)
  if(GRAPNEL_SANITIZE)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "LLVM;ARROW_FLIGHT" "" "SOURCES;DEPS")
  get_property(GRAPNEL_LEFT_OUT GLOBAL PROPERTY GRAPNEL_LEFT_OUT)
  _grapnel_check_deps("plugin ${name}" complete ${arg_DEPS})
  if(NOT complete)
    return()
  endif()
  set(target grapnel_plugin_${name})
  add_library(${target} MODULE ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES PREFIX "lib" OUTPUT_NAME "grapnel-${name}"
                        LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  target_link_libraries(${target} PRIVATE grapnel_options ${arg_DEPS})
  # Its own copy of our static libraries stays inside: nothing of it meets the program's.
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL -Wl,-Bsymbolic -Wl,-z,nodelete
                                        -Wl,--no-undefined)
  if(arg_LLVM)
    grapnel_need_llvm()
    target_link_libraries(${target} PRIVATE dep::llvm)
    target_link_options(${target} PRIVATE -Wl,-s)
  endif()
  if(arg_ARROW_FLIGHT)
    grapnel_need_arrow_flight()
    target_link_libraries(${target} PRIVATE dep::arrow_flight)
    if(ARROW_FROM_WHEEL)
      # Hard links: the wheel's libraries find each other by $ORIGIN, the plugin finds them beside
      # itself, and the build directory can be moved.
      foreach(lib Arrow::arrow_shared ArrowFlight::arrow_flight_shared)
        get_target_property(file ${lib} IMPORTED_LOCATION)
        cmake_path(GET file FILENAME base)
        file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/arrow")
        file(CREATE_LINK "${file}" "${PROJECT_BINARY_DIR}/arrow/${base}" COPY_ON_ERROR)
      endforeach()
      set_target_properties(${target} PROPERTIES BUILD_WITH_INSTALL_RPATH ON
                            INSTALL_RPATH "$ORIGIN/arrow")
    endif()
  endif()
endfunction()

function(grapnel_unit_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  if(NOT TARGET grapnel::${folder})
    return()
  endif()
  foreach(dep IN LISTS arg_DEPS)
    if(dep MATCHES "^grapnel::" AND NOT TARGET ${dep})
      message(WARNING "tests of ${folder} are left out: they need ${dep}, which is not there")
      return()
    endif()
  endforeach()
  if(NOT arg_SOURCES)
    file(GLOB arg_SOURCES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/unit/${folder}/*.cpp")
  endif()
  if(NOT arg_SOURCES)
    return()
  endif()
  set(target ${folder}_test)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE grapnel::${folder} ${arg_DEPS} GTest::gtest_main)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/unit")
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/test-tmp/${folder}")
  gtest_discover_tests(${target} TEST_PREFIX "${folder}." DISCOVERY_TIMEOUT 60
    DISCOVERY_MODE PRE_TEST
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    PROPERTIES TIMEOUT 300 LABELS unit
    ENVIRONMENT "GRAPNEL_BUILD_DIR=${PROJECT_BINARY_DIR};GRAPNEL_TEST_TMP=${PROJECT_BINARY_DIR}/test-tmp/${folder}")
endfunction()
