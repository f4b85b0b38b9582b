// Picks the user-space program of a query: native code where it can be had, else the interpreter.
#pragma once

#include <memory>
#include <string>

#include "program/program.h"

namespace grapnel::engine {

struct MadeProgram {
  std::shared_ptr<const program::Program> program;  ///< never null
  std::string note;                                 ///< why this one, for EXPLAIN
};

/// GRAPNEL_NATIVE forces a level of native code by name, or "interpreter". Errors: usage, for a
/// name that is wrong or a level that this machine has not.
Result<MadeProgram> make_program(const std::shared_ptr<const program::Job>& job);

}  // namespace grapnel::engine
