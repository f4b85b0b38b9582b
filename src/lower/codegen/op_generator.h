// Plan -> the functions gr_op and gr_shape (op_abi.h) as LLVM IR.
#pragma once

#include <llvm/IR/Module.h>

#include <memory>

#include "lower/plan.h"

namespace grapnel::lower::codegen {

/// A module with gr_op and gr_shape, for linking with `record_template`, whose triple and data
/// layout it takes over. gr_op calls functions that the template defines.
std::unique_ptr<llvm::Module> generate_op(const Plan& plan, const llvm::Module& record_template);

/// Replaces the calls of gr_shape that have constant arguments by their results. Called when the
/// template's functions have been inlined.
void fold_shape_calls(const Plan& plan, llvm::Module& module);

}  // namespace grapnel::lower::codegen
