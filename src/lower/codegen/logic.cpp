#include "lower/codegen/logic.h"

#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

namespace grapnel::lower::codegen {

using llvm::Value;

llvm::CallInst* TemplateCalls::call(const char* name, llvm::Type* result,
                                    llvm::ArrayRef<Value*> arguments) {
  llvm::SmallVector<llvm::Type*, 6> types;
  for (Value* argument : arguments) types.push_back(argument->getType());
  const auto callee =
      module_.getOrInsertFunction(name, llvm::FunctionType::get(result, types, false));
  return builder_.CreateCall(callee, arguments);
}

void Logic::leave_if(Value* condition, gr_outcome outcome, bool unlikely) {
  auto& context = builder_.getContext();
  llvm::Function* function = builder_.GetInsertBlock()->getParent();
  llvm::BasicBlock*& exit = exits_[outcome];
  if (exit == nullptr) {
    exit = llvm::BasicBlock::Create(context, "leave", function);
    llvm::IRBuilder<>(exit).CreateRet(builder_.getInt64(outcome));
  }
  llvm::BasicBlock* onwards = llvm::BasicBlock::Create(context, "", function, exit);
  llvm::MDNode* weights =
      unlikely ? llvm::MDBuilder(context).createBranchWeights(1, 100'000) : nullptr;
  builder_.CreateCondBr(condition, exit, onwards, weights);
  builder_.SetInsertPoint(onwards);
}

namespace {

class NativeLogic final : public Logic {
 public:
  NativeLogic(llvm::IRBuilder<>& builder, TemplateCalls& calls) : Logic(builder, calls) {}
  Value* constant(bool value) override { return builder_.getInt1(value); }
  Value* from_word(Value* word) override {
    return builder_.CreateTrunc(word, builder_.getInt1Ty());
  }
  Value* to_word(Value* flag) override { return builder_.CreateZExt(flag, builder_.getInt64Ty()); }
  Value* is_nonzero(Value* word) override {
    return builder_.CreateICmpNE(word, builder_.getInt64(0));
  }
  Value* equal(Value* a, Value* b) override { return builder_.CreateICmpEQ(a, b); }
  Value* less(Value* a, Value* b, bool) override { return builder_.CreateICmpSLT(a, b); }
  Value* less_unsigned(Value* a, Value* b) override { return builder_.CreateICmpULT(a, b); }
  Value* choose(Value* flag, Value* a, Value* b) override {
    return builder_.CreateSelect(flag, a, b);
  }
  void escape_if(Value* flag) override {
    if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(flag); known && known->isZero()) return;
    leave_if(flag, GR_ESCAPE, true);
  }
  void reject_unless(Value* flag) override { leave_if(negation(flag), GR_DONE, false); }
};

class BpfLogic final : public Logic {
 public:
  BpfLogic(llvm::IRBuilder<>& builder, TemplateCalls& calls) : Logic(builder, calls) {}
  Value* constant(bool value) override { return builder_.getInt64(value ? 1 : 0); }
  Value* from_word(Value* word) override { return word; }
  Value* to_word(Value* flag) override { return flag; }
  Value* is_nonzero(Value* word) override { return helper("gr_is_nonzero", {word}); }
  Value* equal(Value* a, Value* b) override { return helper("gr_is_equal", {a, b}); }
  Value* less(Value* a, Value* b, bool near) override {
    return helper(near ? "gr_is_less_near" : "gr_is_less", {a, b});
  }
  Value* less_unsigned(Value* a, Value* b) override { return helper("gr_is_below", {a, b}); }
  Value* choose(Value* flag, Value* a, Value* b) override {
    return helper("gr_choose", {flag, a, b});
  }
  void escape_if(Value* flag) override {
    if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(flag); known && known->isZero()) return;
    leave_if(builder_.CreateICmpNE(flag, builder_.getInt64(0)), GR_ESCAPE, true);
  }
  void reject_unless(Value* flag) override {
    leave_if(builder_.CreateICmpEQ(flag, builder_.getInt64(0)), GR_DONE, false);
  }

 private:
  Value* helper(const char* name, llvm::ArrayRef<Value*> arguments) {
    return calls_.call(name, builder_.getInt64Ty(), arguments);
  }
};

}  // namespace

void Logic::escape_if_above(Value* a, Value* bound) {
  leave_if(builder_.CreateICmpUGT(a, bound), GR_ESCAPE, true);
}

std::unique_ptr<Logic> make_logic(Target target, llvm::IRBuilder<>& builder, TemplateCalls& calls) {
  if (target == Target::bpf) return std::make_unique<BpfLogic>(builder, calls);
  return std::make_unique<NativeLogic>(builder, calls);
}

}  // namespace grapnel::lower::codegen
