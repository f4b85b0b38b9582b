#include "engine/make_program.h"

#include "program/interpreter.h"

namespace grapnel::engine {

MadeProgram make_program(const std::shared_ptr<const program::Job>& job) {
  return {program::make_interpreter(job), "plain interpreter"};
}

}  // namespace grapnel::engine
