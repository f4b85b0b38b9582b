// Internal to the code generator.
#pragma once

#include <llvm/IR/Module.h>

#include "lower/plan.h"

namespace grapnel::lower::codegen {

/// Defines gr_shape in `module`.
void generate_shape(const Plan& plan, llvm::Module& module);

}  // namespace grapnel::lower::codegen
