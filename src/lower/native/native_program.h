// A query's op as native code: vector instructions for finding records and fields, compiled code
// for the op itself.
#pragma once

#include <memory>
#include <string>

#include "lower/cache/object_cache.h"
#include "program/program.h"

namespace grapnel::lower::native {

struct Options {
  /// Level by name (native/level.h), "interpreter" for no native code, or empty: GRAPNEL_NATIVE if
  /// it is set, else the best that the machine has.
  std::string level;
  /// Where compiled objects are kept; nullptr: the user's cache.
  const ObjectCache* cache = nullptr;
  /// True: nothing is compiled; what the cache has not runs on the interpreter. A level that was
  /// asked for, here or by GRAPNEL_NATIVE, is compiled all the same.
  bool only_if_cached = false;
  /// True: an error where native code cannot be had, not the interpreter.
  bool strict = false;
};

/// What was done, for EXPLAIN and statistics.
struct Report {
  std::string name;    ///< as Program::name()
  std::string reason;  ///< why the interpreter, if it is that
  bool from_cache = false;
  double compile_ms = 0;
  std::string note;  ///< trouble with the cache, mostly empty
};

/// The program for `job`. What cannot be lowered, or has no compiler, runs on the interpreter; the
/// program's name says so ("interpreter: % of DOUBLE is left to the interpreter"). `report` may be
/// nullptr. Errors: usage (unknown level); with `strict` also hook and internal.
Result<std::shared_ptr<const program::Program>> make_native(std::shared_ptr<const program::Job> job,
                                                            const Options& options = {},
                                                            Report* report = nullptr);

}  // namespace grapnel::lower::native
