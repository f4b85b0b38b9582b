# FindArrowWheel: Arrow C++ as shipped inside the pyarrow wheel.
#
# Prefers a real Arrow C++ installation (find_package(ArrowFlight CONFIG)); when
# there is none, makes IMPORTED targets WITH THE SAME NAMES from a pyarrow wheel:
#   Arrow::arrow_shared          ArrowCompute::arrow_compute_shared
#   ArrowAcero::arrow_acero_shared  Parquet::parquet_shared
#   ArrowDataset::arrow_dataset_shared  ArrowFlight::arrow_flight_shared
# Input : ARROW_WHEEL_DIR   (.../site-packages/pyarrow; guessed from Python3 when empty)
#         Tried first when empty: the venv that ./dev setup makes in build/venv.
#         ARROW_WHEEL_FORCE (skip the system look-up)
# Output: ArrowWheel_FOUND, ARROW_FROM_WHEEL, ArrowWheel_LIBRARY_DIR, ArrowWheel_VERSION
set(ARROW_FROM_WHEEL FALSE)
if(NOT ARROW_WHEEL_FORCE)
  find_package(Arrow CONFIG QUIET)
  if(Arrow_FOUND)
    find_package(ArrowFlight CONFIG QUIET)
    find_package(Parquet CONFIG QUIET)
    find_package(ArrowDataset CONFIG QUIET)
    find_package(ArrowAcero CONFIG QUIET)
    find_package(ArrowCompute CONFIG QUIET)   # a package of its own since Arrow 21
  endif()
endif()
if(Arrow_FOUND AND ArrowFlight_FOUND AND ArrowDataset_FOUND)
  set(ArrowWheel_VERSION ${Arrow_VERSION})
  set(ArrowWheel_FOUND TRUE)
  if(NOT TARGET ArrowCompute::arrow_compute_shared)  # Arrow <= 20: compute lives in libarrow
    add_library(ArrowCompute::arrow_compute_shared INTERFACE IMPORTED)
    target_link_libraries(ArrowCompute::arrow_compute_shared INTERFACE Arrow::arrow_shared)
  endif()
else()
  if(NOT ARROW_WHEEL_DIR)
    file(GLOB _aw_venv "${PROJECT_SOURCE_DIR}/build/venv/lib/python3*/site-packages/pyarrow")
    if(_aw_venv)
      list(GET _aw_venv 0 ARROW_WHEEL_DIR)
    endif()
  endif()
  if(NOT ARROW_WHEEL_DIR)
    find_package(Python3 COMPONENTS Interpreter QUIET)
    if(Python3_EXECUTABLE)
      execute_process(
        COMMAND ${Python3_EXECUTABLE} -c
          "import importlib.util as u; print(u.find_spec('pyarrow').submodule_search_locations[0])"
        OUTPUT_VARIABLE _aw_dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      set(ARROW_WHEEL_DIR "${_aw_dir}" CACHE PATH "pyarrow package directory" FORCE)
    endif()
  endif()
  set(ArrowWheel_INCLUDE_DIR "${ARROW_WHEEL_DIR}/include")
  set(ArrowWheel_LIBRARY_DIR "${ARROW_WHEEL_DIR}")
  if(EXISTS "${ArrowWheel_INCLUDE_DIR}/arrow/util/config.h")
    file(STRINGS "${ArrowWheel_INCLUDE_DIR}/arrow/util/config.h" _aw_v REGEX "ARROW_(VERSION|SO_VERSION)_?(STRING)? \"")
    string(REGEX MATCH "ARROW_VERSION_STRING \"([^\"]+)\"" _ "${_aw_v}")
    set(ArrowWheel_VERSION "${CMAKE_MATCH_1}")
    string(REGEX MATCH "ARROW_SO_VERSION \"([^\"]+)\"" _ "${_aw_v}")
    set(_aw_so "${CMAKE_MATCH_1}")
  endif()
  # The soname file itself is linked (libX.so.NNNN): no create_library_symlinks(),
  # nothing is written into site-packages.
  function(_aw_lib target stem)
    set(_f "${ArrowWheel_LIBRARY_DIR}/lib${stem}.so.${_aw_so}")
    if(NOT EXISTS "${_f}" OR TARGET ${target})
      return()
    endif()
    add_library(${target} SHARED IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES
      IMPORTED_LOCATION "${_f}"
      IMPORTED_SONAME "lib${stem}.so.${_aw_so}"
      INTERFACE_INCLUDE_DIRECTORIES "${ArrowWheel_INCLUDE_DIR}"
      INTERFACE_COMPILE_FEATURES cxx_std_20
      INTERFACE_LINK_LIBRARIES "${ARGN}")
  endfunction()
  _aw_lib(Arrow::arrow_shared arrow)
  _aw_lib(ArrowCompute::arrow_compute_shared arrow_compute Arrow::arrow_shared)
  _aw_lib(ArrowAcero::arrow_acero_shared arrow_acero ArrowCompute::arrow_compute_shared)
  _aw_lib(Parquet::parquet_shared parquet Arrow::arrow_shared)
  _aw_lib(ArrowDataset::arrow_dataset_shared arrow_dataset "ArrowAcero::arrow_acero_shared;Parquet::parquet_shared")
  _aw_lib(ArrowFlight::arrow_flight_shared arrow_flight Arrow::arrow_shared)
  include(FindPackageHandleStandardArgs)
  if(TARGET Arrow::arrow_shared AND TARGET ArrowFlight::arrow_flight_shared)
    set(_aw_ok TRUE)
    set(ARROW_FROM_WHEEL TRUE)
  endif()
  find_package_handle_standard_args(ArrowWheel
    REQUIRED_VARS ArrowWheel_LIBRARY_DIR ArrowWheel_INCLUDE_DIR _aw_ok
    VERSION_VAR ArrowWheel_VERSION)
endif()
