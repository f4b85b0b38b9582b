// The generator of gr_op, for its own files only: values in op_generator.cpp, what is done with
// them in op_state.cpp.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <memory>
#include <optional>
#include <vector>

#include "lower/codegen/logic.h"
#include "lower/codegen/op_generator.h"

namespace grapnel::lower::codegen {

/// BPF: above this, values are put away instead of being held in registers and on the stack.
constexpr size_t kMostNodesOnStack = 28;
constexpr size_t kMostResultsOnStack = 12;  ///< keys and aggregates: held until all are known
constexpr uint32_t kWordsPerNode = 4;
static_assert(kMostBpfNodes * kWordsPerNode <= GR_MAX_TEMPORARIES);

/// A node's value in generated code.
struct Operand {
  /// integer: i64; boolean: flag "is true" (never set together with is_null); real: double;
  /// text: pointer to a gr_text.
  llvm::Value* value = nullptr;
  llvm::Value* is_null = nullptr;  ///< flag
  bool zero_if_null = false;       ///< integer: the word is 0 then
};

/// Generates the body of gr_op. Nodes are generated where they are first used; the blocks of the
/// body form a chain, so each later use is dominated by that place.
class OpGenerator {
 public:
  OpGenerator(const Plan& plan, llvm::Module& module)
      : plan_(plan),
        builder_(module.getContext()),
        calls_(builder_, module),
        operands_(plan.nodes.size()) {
    auto* pointer = builder_.getPtrTy();
    auto* type = llvm::FunctionType::get(builder_.getInt64Ty(), {pointer, pointer}, false);
    function_ = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, "gr_op", module);
    function_->addFnAttr(llvm::Attribute::AlwaysInline);
    function_->addFnAttr(llvm::Attribute::NoUnwind);
    row_ = function_->getArg(0);
    run_ = function_->getArg(1);
    locals_ = llvm::BasicBlock::Create(module.getContext(), "", function_);
    auto* body = llvm::BasicBlock::Create(module.getContext(), "", function_);
    builder_.SetInsertPoint(body);
    logic_ = make_logic(plan.target, builder_, calls_);
    body_ = body;
    puts_away_ = plan.target == Target::bpf &&
                 (plan.nodes.size() > kMostNodesOnStack ||
                  plan.keys.size() + plan.aggregates.size() > kMostResultsOnStack);
  }

  void generate() {
    for (const auto& stage : plan_.filter_stages) {
      llvm::Value* passes = logic_->constant(true);
      for (uint32_t conjunct : stage) passes = logic_->both(passes, operand(conjunct).value);
      logic_->reject_unless(passes);
    }
    if (plan_.selects) {
      builder_.CreateRet(word(GR_SELECT));
    } else {
      aggregate();
    }
    llvm::IRBuilder<>(locals_).CreateBr(body_);
  }

 private:
  llvm::ConstantInt* word(uint64_t value) { return builder_.getInt64(value); }
  llvm::ConstantInt* half(uint32_t value) { return builder_.getInt32(value); }
  llvm::Type* word_type() { return builder_.getInt64Ty(); }

  llvm::Value* local(llvm::Type* type) {
    llvm::IRBuilder<> at(locals_);
    return at.CreateAlloca(type);
  }
  llvm::Value* text_local() { return local(llvm::ArrayType::get(word_type(), 2)); }

  /// The value of a node, where it is used.
  Operand operand(uint32_t number) {
    const bool away = puts_away_ || is_kept_in_memory(plan_.nodes[number]);
    if (!operands_[number]) {
      const Operand made = make(plan_.nodes[number]);
      operands_[number] = away ? put_away(number, made) : made;
    }
    return away ? fetch(number, *operands_[number]) : *operands_[number];
  }
  /// BPF: a number out of text, which its template makes in two ways. What the two say about the
  /// value the verifier, above all that of 6.1, would follow through the rest of the op, for each
  /// number anew; from memory it comes as any other value.
  [[nodiscard]] bool is_kept_in_memory(const Node& node) const {
    return plan_.target == Target::bpf && plan_.table.format == source::Format::csv &&
           node.kind == NodeKind::load &&
           (node.load_kind == LoadKind::integer || node.load_kind == LoadKind::decimal);
  }
  Operand put_away(uint32_t number, const Operand& operand);
  Operand fetch(uint32_t number, const Operand& operand);
  llvm::Value* temporary(uint32_t number, uint32_t word_index);

  Operand make(const Node& node);
  Operand load(const Node& node);
  Operand parameter(const Node& node);
  Operand null(const Node& node);
  Operand arithmetic(const Node& node);
  Operand division(const Node& node);
  Operand unary_integer(const Node& node);
  Operand real(const Node& node);
  Operand compare(const Node& node);
  llvm::Value* compare_values(const Node& node, llvm::Value* a, llvm::Value* b);
  llvm::Value* less_real(llvm::Value* a, llvm::Value* b);
  Operand text_test(const Node& node);
  Operand logical(const Node& node);

  /// A comparison's result with NULL taken out of the value.
  Operand truth(llvm::Value* value, llvm::Value* is_null) {
    return {logic_->both(value, logic_->negation(is_null)), is_null};
  }
  llvm::Value* flag_of(llvm::CallInst* call) { return logic_->from_word(call); }

  void aggregate();
  llvm::Value* group();
  void hand_over_key(uint32_t index, const KeyPlan& key);
  void update_fixed_slots(llvm::Value* slots);
  void update(const AggregatePlan& aggregate, llvm::Value* slots);
  void update_extreme(const AggregatePlan& aggregate, const Operand& value, llvm::Value* slots);
  void update_wide_extreme(const AggregatePlan& aggregate, const Operand& value,
                           llvm::Value* slots);
  void update_real_extreme(const AggregatePlan& aggregate, const Operand& value,
                           llvm::Value* slots);
  template <typename Body>
  void unless_null(const Operand& value, const Body& body);
  bool product_within(const Node& check, Operand& result);

  llvm::Value* slot(llvm::Value* slots, uint32_t index) {
    return builder_.CreateConstInBoundsGEP1_64(word_type(), slots, index);
  }
  llvm::Value* read(llvm::Value* slots, uint32_t index) {
    return builder_.CreateAlignedLoad(word_type(), slot(slots, index), llvm::Align(8));
  }
  void write(llvm::Value* slots, uint32_t index, llvm::Value* value) {
    builder_.CreateAlignedStore(value, slot(slots, index), llvm::Align(8));
  }
  void count(llvm::Value* slots, uint32_t index, llvm::Value* counted) {
    write(slots, index, builder_.CreateAdd(read(slots, index), counted));
  }

  const Plan& plan_;
  llvm::IRBuilder<> builder_;
  TemplateCalls calls_;
  std::unique_ptr<Logic> logic_;
  llvm::Function* function_ = nullptr;
  llvm::Value* row_ = nullptr;
  llvm::Value* run_ = nullptr;
  llvm::BasicBlock* locals_ = nullptr;  ///< entry: allocas only
  llvm::BasicBlock* body_ = nullptr;
  std::vector<std::optional<Operand>> operands_;
  bool puts_away_ = false;
};

}  // namespace grapnel::lower::codegen
