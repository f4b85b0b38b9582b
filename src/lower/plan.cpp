#include "lower/plan.h"

#include <algorithm>

#include "lower/plan_builder.h"

namespace grapnel::lower {
namespace {

using op::Expr;
using op::Function;

TableShape shape_of(const source::Layout& layout) {
  TableShape shape;
  shape.format = layout.format;
  shape.columns = static_cast<uint32_t>(layout.columns.size());
  if (layout.format == source::Format::csv) {
    shape.delimiter = static_cast<uint8_t>(layout.dialect.delimiter);
    shape.quote = static_cast<uint8_t>(layout.dialect.quote);
    shape.delimiters = shape.columns - (layout.dialect.trailing_delimiter ? 0 : 1);
  }
  shape.record_bytes = layout.format == source::Format::fixed ? layout.record_bytes : 0;
  return shape;
}

/// One conjunct with what decides its place.
struct Conjunct {
  const Expr* expr = nullptr;
  std::vector<uint32_t> columns;
  int price = 0;
};

/// Searching text costs more than comparing it, and that more than comparing words.
int price_of(const Expr& expr) {
  if (expr.function == Function::like) return 2;
  int price = 0;
  for (const auto& argument : expr.arguments) price = std::max(price, price_of(*argument));
  if (expr.type.kind == op::TypeKind::varchar || expr.type.kind == op::TypeKind::real)
    price = std::max(price, 1);
  return price;
}

void flatten(const Expr& expr, std::vector<Conjunct>& out) {
  if (expr.function == Function::and_) {
    for (const auto& argument : expr.arguments) flatten(*argument, out);
    return;
  }
  Conjunct conjunct;
  conjunct.expr = &expr;
  op::collect_columns(expr, conjunct.columns);
  std::sort(conjunct.columns.begin(), conjunct.columns.end());
  conjunct.price = price_of(expr);
  out.push_back(std::move(conjunct));
}

/// The filter's order is the caller's (he may have measured it), except that text comes last. Stage
/// 1: the first conjunct and all others on its columns, which two bounds make a range. Stage 2: all
/// other cheap ones, together and without a branch between them, since each alone would be badly
/// predicted. Then one by one.
std::vector<std::vector<const Expr*>> stages_of(const std::vector<op::ExprPtr>& filter) {
  std::vector<Conjunct> conjuncts;
  for (const auto& expr : filter) flatten(*expr, conjuncts);
  if (conjuncts.empty()) return {};
  std::stable_sort(conjuncts.begin(), conjuncts.end(),
                   [](const Conjunct& a, const Conjunct& b) { return a.price < b.price; });
  std::vector<std::vector<const Expr*>> stages(2);
  const Conjunct& first = conjuncts.front();
  for (const Conjunct& conjunct : conjuncts) {
    if (conjunct.price == first.price && conjunct.columns == first.columns)
      stages[0].push_back(conjunct.expr);
    else if (conjunct.price == 0)
      stages[1].push_back(conjunct.expr);
    else
      stages.push_back({conjunct.expr});
  }
  if (stages[1].empty()) stages.erase(stages.begin() + 1);
  return stages;
}

gr_key_kind key_kind(op::Type type) {
  if (type.kind == op::TypeKind::varchar) return GR_KEY_TEXT;
  if (type.kind == op::TypeKind::real) return GR_KEY_DOUBLE;
  return type.fits_int64() ? GR_KEY_INT64 : GR_KEY_INT128;
}

std::string describe(const op::Aggregate& aggregate) {
  static constexpr const char* kNames[] = {"count", "count", "sum", "min", "max"};
  return std::string(kNames[static_cast<size_t>(aggregate.kind)]) + " over " +
         aggregate.argument->type.to_string();
}

void plan_keys(const op::Op& op, PlanBuilder& builder, Plan& plan) {
  if (op.keys.size() > GR_MAX_KEYS)
    builder.refuse("more than " + std::to_string(int{GR_MAX_KEYS}) + " group keys");
  uint32_t words = 0;
  for (const auto& expr : op.keys) {
    KeyPlan key;
    key.kind = key_kind(expr->type);
    if (plan.target == Target::bpf && key.kind == GR_KEY_DOUBLE)
      builder.refuse("a group key of type DOUBLE needs floating point, which BPF has not");
    words += key.kind == GR_KEY_TEXT ? 1 + GR_BPF_TEXT_BYTES / 8 : 1;
    key.node = builder.add(*expr);
    plan.keys.push_back(key);
  }
  if (plan.target == Target::bpf && words > GR_BPF_MAX_KEY_WORDS)
    builder.refuse("the group keys are too wide for the table in BPF");
}

void plan_aggregates(const program::Job& job, PlanBuilder& builder, Plan& plan) {
  for (size_t i = 0; i < job.op->aggregates.size(); i++) {
    const op::Aggregate& aggregate = job.op->aggregates[i];
    const state::AggregateSlots& slots = job.layout->aggregates[i];
    if (slots.kind == state::SlotKind::none) continue;
    if (plan.target == Target::bpf) {
      if (slots.kind == state::SlotKind::sum_double ||
          slots.kind == state::SlotKind::extreme_double)
        builder.refuse(describe(aggregate) + " needs floating point, which BPF has not");
      if (slots.kind == state::SlotKind::extreme_text)
        builder.refuse(describe(aggregate) + " needs memory of variable size, which BPF has not");
    }
    plan.aggregates.push_back(
        {slots.kind, slots.is_max, slots.first_slot, builder.add(*aggregate.argument)});
  }
}

}  // namespace

Result<Plan> make_plan(const program::Job& job, Target target) {
  Plan plan;
  plan.target = target;
  plan.table = shape_of(job.source->layout);
  PlanBuilder builder(plan, job.source->layout);
  for (const auto& stage : stages_of(job.op->filter)) {
    plan.filter_stages.emplace_back();
    for (const Expr* expr : stage) plan.filter_stages.back().push_back(builder.add(*expr));
  }
  plan.selects = !job.op->aggregating;
  if (job.op->aggregating) {
    plan_keys(*job.op, builder, plan);
    plan_aggregates(job, builder, plan);
    plan.slot_count = job.layout->slot_count;
    if (target == Target::bpf && plan.slot_count > GR_MAX_SLOTS)
      builder.refuse("the states of so many aggregates do not fit BPF's memory");
  }
  if (target == Target::bpf && plan.nodes.size() > kMostBpfNodes)
    builder.refuse("so many expressions do not fit the memory of a BPF program");
  if (!builder.refusal().empty()) return Error{ErrorKind::hook, builder.refusal(), ""};
  return plan;
}

std::string why_not_lowerable(const program::Job& job, Target target) {
  const auto plan = make_plan(job, target);
  return plan.ok() ? std::string() : plan.error().message;
}

}  // namespace grapnel::lower
