// What differs between the targets in generated code: how truth values are held, compared, chosen,
// and what an escape does.
//
//   native   flags are i1; compares, selects, branches; an escape leaves the op at once by a branch
//            that is never taken in good data
//   BPF      flags are words 0 or 1; mask arithmetic from op_math.h, because each branch there is
//            followed both ways by the verifier. Escapes are branches there, too: the way out is
//            short, and what has been proven by it needs no register any more.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <memory>

#include "lower/plan.h"

namespace grapnel::lower::codegen {

/// Calls to functions of the template, declared on first use in the op's module.
class TemplateCalls {
 public:
  explicit TemplateCalls(llvm::IRBuilder<>& builder, llvm::Module& module)
      : builder_(builder), module_(module) {}
  llvm::CallInst* call(const char* name, llvm::Type* result,
                       llvm::ArrayRef<llvm::Value*> arguments);

 private:
  llvm::IRBuilder<>& builder_;
  llvm::Module& module_;
};

class Logic {
 public:
  virtual ~Logic() = default;
  virtual llvm::Value* constant(bool value) = 0;
  /// A flag from a word that is 0 or 1, and back.
  virtual llvm::Value* from_word(llvm::Value* word) = 0;
  virtual llvm::Value* to_word(llvm::Value* flag) = 0;
  virtual llvm::Value* is_nonzero(llvm::Value* word) = 0;
  virtual llvm::Value* equal(llvm::Value* a, llvm::Value* b) = 0;
  /// Signed. `near`: a - b cannot overflow.
  virtual llvm::Value* less(llvm::Value* a, llvm::Value* b, bool near) = 0;
  virtual llvm::Value* less_unsigned(llvm::Value* a, llvm::Value* b) = 0;
  virtual llvm::Value* choose(llvm::Value* flag, llvm::Value* a, llvm::Value* b) = 0;
  llvm::Value* both(llvm::Value* a, llvm::Value* b) { return builder_.CreateAnd(a, b); }
  llvm::Value* either(llvm::Value* a, llvm::Value* b) { return builder_.CreateOr(a, b); }
  llvm::Value* negation(llvm::Value* a) { return builder_.CreateXor(a, constant(true)); }

  /// The record escapes if `flag` (BPF: if it is any word but 0).
  virtual void escape_if(llvm::Value* flag) = 0;
  /// The record escapes if `a` > `bound`, both unsigned words.
  void escape_if_above(llvm::Value* a, llvm::Value* bound);
  /// Goes on if `flag`; else the record is rejected.
  virtual void reject_unless(llvm::Value* flag) = 0;

 protected:
  Logic(llvm::IRBuilder<>& builder, TemplateCalls& calls) : builder_(builder), calls_(calls) {}
  /// Ends the current block: to a block that returns `outcome` if `condition` (i1), else onwards.
  void leave_if(llvm::Value* condition, gr_outcome outcome, bool unlikely);

  llvm::IRBuilder<>& builder_;
  TemplateCalls& calls_;

 private:
  llvm::BasicBlock* exits_[3] = {};
};

std::unique_ptr<Logic> make_logic(Target target, llvm::IRBuilder<>& builder, TemplateCalls& calls);

}  // namespace grapnel::lower::codegen
