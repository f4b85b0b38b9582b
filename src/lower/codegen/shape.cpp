// gr_shape: facts about table and op that fold to constants in the template.
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Instructions.h>

#include <algorithm>

#include "lower/codegen/op_generator.h"
#include "lower/codegen/shape.h"

namespace grapnel::lower::codegen {
namespace {

const TableShape::Field* find_field(const Plan& plan, uint64_t column) {
  for (const auto& field : plan.table.fields) {
    if (field.column == column) return &field;
  }
  return nullptr;
}

bool is_text_search(NodeKind kind) {
  return kind == NodeKind::text_equal || kind == NodeKind::text_starts_with ||
         kind == NodeKind::text_ends_with || kind == NodeKind::text_contains;
}

/// Only if the first stage has nothing but searches, which cannot escape: what comes behind them
/// does not happen for a line that they reject.
uint64_t required_text(const Plan& plan) {
  if (plan.table.format != source::Format::lines || plan.filter_stages.empty()) return 0;
  const auto& stage = plan.filter_stages.front();
  const auto searches_line = [&plan](uint32_t number) {
    const Node& node = plan.nodes[number];
    return is_text_search(node.kind) && plan.nodes[node.left].kind == NodeKind::load;
  };
  if (!std::all_of(stage.begin(), stage.end(), searches_line)) return 0;
  return uint64_t{plan.nodes[stage.front()].a} + 1;
}

uint64_t shape_of(const Plan& plan, uint64_t item, uint64_t index) {
  const TableShape& table = plan.table;
  const TableShape::Field* field = find_field(plan, index);
  switch (item) {
    case GR_SHAPE_DELIMITER:
      return table.delimiter;
    case GR_SHAPE_QUOTE:
      return table.quote;
    case GR_SHAPE_COLUMNS:
      return table.columns;
    case GR_SHAPE_DELIMITERS:
      return table.delimiters;
    case GR_SHAPE_NEEDED:
      return field != nullptr;
    case GR_SHAPE_NEEDS_FIELDS:
      return !table.fields.empty();
    case GR_SHAPE_LAST_NEEDED:
      return table.fields.empty() ? 0 : table.fields.back().column;
    case GR_SHAPE_RECORD_BYTES:
      return table.record_bytes;
    case GR_SHAPE_FIELD_OFFSET:
      return field != nullptr ? field->offset : 0;
    case GR_SHAPE_FIELD_BYTES:
      return field != nullptr ? field->size_bytes : 0;
    case GR_SHAPE_FIELD_SIGNED:
      return field != nullptr && field->is_signed;
    case GR_SHAPE_KEYS:
      return plan.keys.size();
    case GR_SHAPE_KEY_KIND:
      return index < plan.keys.size() ? plan.keys[index].kind : 0;
    case GR_SHAPE_SLOTS:
      return plan.slot_count;
    case GR_SHAPE_SELECTS:
      return plan.selects;
    case GR_SHAPE_REQUIRED_TEXT:
      return required_text(plan);
    case GR_SHAPE_NODES:
      return plan.nodes.size();
    default:
      return 0;
  }
}

bool is_indexed(uint64_t item) {
  return item == GR_SHAPE_NEEDED || item == GR_SHAPE_FIELD_OFFSET || item == GR_SHAPE_FIELD_BYTES ||
         item == GR_SHAPE_FIELD_SIGNED || item == GR_SHAPE_KEY_KIND;
}

constexpr uint64_t kItems = GR_SHAPE_NODES + 1;

}  // namespace

void generate_shape(const Plan& plan, llvm::Module& module) {
  auto& context = module.getContext();
  llvm::IRBuilder<> builder(context);
  auto* type = llvm::FunctionType::get(builder.getInt64Ty(),
                                       {builder.getInt32Ty(), builder.getInt32Ty()}, false);
  auto* function =
      llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, "gr_shape", module);
  const auto block = [&] { return llvm::BasicBlock::Create(context, "", function); };
  const auto returning = [&](uint64_t value) {
    auto* exit = block();
    llvm::IRBuilder<>(exit).CreateRet(builder.getInt64(value));
    return exit;
  };
  const uint64_t indexes = std::max<uint64_t>(plan.table.columns, plan.keys.size());
  builder.SetInsertPoint(block());
  auto* items = builder.CreateSwitch(function->getArg(0), returning(0));
  for (uint64_t item = 0; item < kItems; item++) {
    llvm::BasicBlock* target = nullptr;
    if (is_indexed(item)) {
      target = block();
      auto* values = llvm::IRBuilder<>(target).CreateSwitch(function->getArg(1), returning(0));
      for (uint64_t index = 0; index < indexes; index++) {
        if (const uint64_t value = shape_of(plan, item, index); value != 0)
          values->addCase(builder.getInt32(static_cast<uint32_t>(index)), returning(value));
      }
    } else {
      target = returning(shape_of(plan, item, 0));
    }
    items->addCase(builder.getInt32(static_cast<uint32_t>(item)), target);
  }
}

void fold_shape_calls(const Plan& plan, llvm::Module& module) {
  llvm::Function* function = module.getFunction("gr_shape");
  if (function == nullptr) return;
  for (llvm::User* user : llvm::make_early_inc_range(function->users())) {
    auto* call = llvm::dyn_cast<llvm::CallInst>(user);
    if (call == nullptr || call->getCalledFunction() != function) continue;
    const auto* item = llvm::dyn_cast<llvm::ConstantInt>(call->getArgOperand(0));
    const auto* index = llvm::dyn_cast<llvm::ConstantInt>(call->getArgOperand(1));
    if (item == nullptr || (index == nullptr && is_indexed(item->getZExtValue()))) continue;
    const uint64_t number = index == nullptr ? 0 : index->getZExtValue();
    call->replaceAllUsesWith(
        llvm::ConstantInt::get(call->getType(), shape_of(plan, item->getZExtValue(), number)));
    call->eraseFromParent();
  }
}

}  // namespace grapnel::lower::codegen
