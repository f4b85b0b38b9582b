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

MadeProgram make_program(const std::shared_ptr<const program::Job>& job);

}  // namespace grapnel::engine
