#include "sql/assemble.h"

#include <algorithm>
#include <utility>

#include "sql/names.h"
#include "sql/refusal.h"
#include "sql/typed.h"

namespace grapnel::sql {

using op::Expr;
using op::ExprPtr;
using op::Function;

namespace {

bool is_constant(const ExprPtr& expr) { return expr->function == Function::constant; }

class Assembler {
 public:
  Assembler(const SelectSyntax& select, const std::vector<source::Column>& columns,
            BoundClauses clauses)
      : select_(select), columns_(columns), clauses_(std::move(clauses)) {}

  Result<op::Query> run() {
    GRAPNEL_CHECK(decide_kind());
    choose_keys();
    query_.op.filter = std::move(clauses_.filter);
    query_.op.keys = clauses_.keys;
    query_.op.aggregates = std::move(clauses_.aggregates);
    query_.finish.limit = clauses_.limit;
    query_.finish.offset = clauses_.offset;
    for (const Output& output : clauses_.outputs) {
      GRAPNEL_TRY(ExprPtr expr, finished(output.expr));
      query_.schema.push_back({output.name, expr->type});
      query_.finish.outputs.push_back(std::move(expr));
    }
    GRAPNEL_CHECK(add_having());
    GRAPNEL_CHECK(add_order());
    return std::move(query_);
  }

 private:
  Status decide_kind();
  void choose_keys();
  Status add_having();
  Status add_order();
  Result<ExprPtr> finished(const ExprPtr& expr);
  Result<ExprPtr> over_results(const ExprPtr& expr);
  [[nodiscard]] Error not_grouped(const Expr& column) const;
  ExprPtr over_rows(const ExprPtr& expr);

  const SelectSyntax& select_;
  const std::vector<source::Column>& columns_;
  BoundClauses clauses_;
  op::Query query_;
};

Status Assembler::decide_kind() {
  query_.op.aggregating =
      !clauses_.keys.empty() || clauses_.having != nullptr || !clauses_.aggregates.empty();
  if (!select_.distinct) return ok_status();
  if (query_.op.aggregating)
    return refuse(select_.distinct_offset,
                  "DISTINCT together with aggregates or GROUP BY is not supported",
                  "groups are distinct already if every key is in the SELECT list");
  query_.op.aggregating = true;
  for (const Output& output : clauses_.outputs) clauses_.keys.push_back(output.expr);
  return ok_status();
}

/// Constant keys make no groups; but without any key there would be a group even for no records.
void Assembler::choose_keys() {
  std::vector<ExprPtr> chosen;
  for (const ExprPtr& key : clauses_.keys) {
    const bool known = std::any_of(chosen.begin(), chosen.end(), [&key](const ExprPtr& other) {
      return op::same_expression(*key, *other);
    });
    if (!known && !is_constant(key)) chosen.push_back(key);
  }
  if (chosen.empty() && !clauses_.keys.empty()) chosen.push_back(clauses_.keys[0]);
  clauses_.keys = std::move(chosen);
}

Status Assembler::add_having() {
  if (!clauses_.having) return ok_status();
  GRAPNEL_TRY(const ExprPtr having, over_results(clauses_.having));
  std::vector<ExprPtr> conjuncts = conjuncts_of(having);
  if (!conjuncts.empty()) query_.finish.having = make_logic(Function::and_, std::move(conjuncts));
  return ok_status();
}

Status Assembler::add_order() {
  for (size_t i = 0; i < clauses_.sort_keys.size(); i++) {
    if (is_constant(clauses_.sort_keys[i])) continue;
    op::SortKey key;
    GRAPNEL_TRY(key.expression, finished(clauses_.sort_keys[i]));
    key.descending = select_.order_by[i].descending;
    key.nulls_first = select_.order_by[i].nulls_first;
    query_.finish.order_by.push_back(std::move(key));
  }
  return ok_status();
}

Result<ExprPtr> Assembler::finished(const ExprPtr& expr) {
  if (query_.op.aggregating) return over_results(expr);
  return over_rows(expr);
}

Error Assembler::not_grouped(const Expr& column) const {
  const std::string name = quote_if_needed(columns_[column.index].name);
  if (select_.distinct)
    return refuse(column.sql_offset, "with DISTINCT, ORDER BY takes only columns of the result",
                  "add " + name + " to the SELECT list");
  return refuse(column.sql_offset, "column " + name + " must stand in GROUP BY or in an aggregate",
                "write GROUP BY " + name + ", or min(" + name + ")");
}

/// `expr` in terms of keys and aggregates.
Result<ExprPtr> Assembler::over_results(const ExprPtr& expr) {
  if (is_constant(expr)) return expr;
  for (uint32_t i = 0; i < clauses_.keys.size(); i++) {
    if (op::same_expression(*clauses_.keys[i], *expr)) return op::make_result(i, expr->type);
  }
  if (expr->function == Function::result) {
    const uint32_t aggregate = expr->index - kAggregate;
    return op::make_result(static_cast<uint32_t>(clauses_.keys.size()) + aggregate, expr->type);
  }
  if (expr->function == Function::column) return not_grouped(*expr);
  auto copy = std::make_shared<Expr>();
  copy->function = expr->function;
  copy->type = expr->type;
  copy->escape = expr->escape;
  copy->sql_offset = expr->sql_offset;
  for (const ExprPtr& argument : expr->arguments) {
    GRAPNEL_TRY(ExprPtr replaced, over_results(argument));
    copy->arguments.push_back(std::move(replaced));
  }
  return ExprPtr(std::move(copy));
}

/// The row query's output value that is `expr`.
ExprPtr Assembler::over_rows(const ExprPtr& expr) {
  std::vector<ExprPtr>& values = query_.op.outputs;
  uint32_t index = 0;
  while (index < values.size() && !op::same_expression(*values[index], *expr)) index++;
  if (index == values.size()) values.push_back(expr);
  return op::make_result(index, expr->type);
}

}  // namespace

bool has_aggregate(const Expr& expr) {
  if (expr.function == Function::result) return true;
  return std::any_of(expr.arguments.begin(), expr.arguments.end(),
                     [](const ExprPtr& argument) { return has_aggregate(*argument); });
}

Result<op::Query> assemble(const SelectSyntax& select, const std::vector<source::Column>& columns,
                           BoundClauses clauses) {
  return Assembler(select, columns, std::move(clauses)).run();
}

}  // namespace grapnel::sql
