#include "sql/bind.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/limits.h"
#include "sql/assemble.h"
#include "sql/column_table.h"
#include "sql/expression_binder.h"
#include "sql/names.h"
#include "sql/output_name.h"
#include "sql/refusal.h"
#include "sql/syntax.h"
#include "sql/typed.h"

namespace grapnel::sql {

using op::Expr;
using op::ExprPtr;
using op::Function;
using op::Type;
using op::TypeKind;

namespace {

/// Where an expression stands: decides what names mean and whether aggregates may stand there.
enum class Clause : uint8_t { select, where, group_by, having, order_by, limit };

const char* name_of(Clause clause) {
  switch (clause) {
    case Clause::select:
      return "SELECT";
    case Clause::where:
      return "WHERE";
    case Clause::group_by:
      return "GROUP BY";
    case Clause::having:
      return "HAVING";
    case Clause::order_by:
      return "ORDER BY";
    case Clause::limit:
      return "LIMIT";
  }
  return "";
}

bool is_constant(const ExprPtr& expr) { return expr->function == Function::constant; }

class QueryBinder : public Scope {
 public:
  QueryBinder(const SelectSyntax& select, const std::vector<source::Column>& columns)
      : select_(select),
        columns_(columns),
        column_table_(select.table_name, columns),
        expressions_(*this) {}

  Result<op::Query> run() {
    GRAPNEL_CHECK(bind_outputs());
    GRAPNEL_CHECK(bind_where());
    GRAPNEL_CHECK(bind_group_by());
    GRAPNEL_CHECK(bind_having());
    GRAPNEL_CHECK(bind_order_by());
    GRAPNEL_CHECK(bind_limits());
    return assemble(select_, columns_, std::move(clauses_));
  }

  Result<Typed> column(const Syntax& syntax) override;
  Result<Typed> aggregate(const Syntax& syntax) override;

 private:
  [[nodiscard]] Error unknown_name(const Syntax& syntax) const;
  [[nodiscard]] ExprPtr make_column(uint32_t index, uint32_t offset) const;
  /// Index of the output with this alias among the first `count`.
  [[nodiscard]] std::optional<size_t> find_alias(const std::string& name, size_t count) const;
  Result<Typed> expand_alias(size_t output, const Syntax& syntax);
  [[nodiscard]] bool is_key(uint32_t column) const;
  Result<ExprPtr> bind_value(const Syntax& syntax);
  Result<ExprPtr> bind_condition(const Syntax& syntax);
  Status check_size(const ExprPtr& expr, uint32_t offset);
  uint32_t intern(op::Aggregate aggregate);

  Status bind_outputs();
  Status add_star(const Syntax& star);
  Status add_output(Output output, uint32_t offset);
  Status bind_where();
  Status bind_group_by();
  Result<ExprPtr> bind_key(const Syntax& syntax);
  Status bind_having();
  Status bind_order_by();
  Result<ExprPtr> bind_sort_key(const Syntax& syntax);
  Result<std::optional<size_t>> ordinal(const Syntax& syntax) const;
  Status bind_limits();
  Result<std::optional<uint64_t>> bind_limit(const SyntaxPtr& syntax);

  const SelectSyntax& select_;
  const std::vector<source::Column>& columns_;
  ColumnTable column_table_;
  ExpressionBinder expressions_;

  Clause clause_ = Clause::select;
  bool in_aggregate_ = false;
  size_t visible_outputs_ = 0;  ///< whose aliases may be used
  size_t alias_depth_ = 0;
  size_t nodes_ = 0;  ///< of the bound expressions

  BoundClauses clauses_;
};

// --- names

std::optional<size_t> QueryBinder::find_alias(const std::string& name, size_t count) const {
  for (size_t i = 0; i < count; i++) {
    if (!clauses_.outputs[i].alias.empty() && same_name(clauses_.outputs[i].alias, name)) return i;
  }
  return std::nullopt;
}

bool QueryBinder::is_key(uint32_t column) const {
  return std::any_of(clauses_.keys.begin(), clauses_.keys.end(), [column](const ExprPtr& key) {
    return key->function == Function::column && key->index == column;
  });
}

Error QueryBinder::unknown_name(const Syntax& syntax) const {
  std::vector<std::string> aliases;
  for (const Output& output : clauses_.outputs) {
    if (!output.alias.empty()) aliases.push_back(output.alias);
  }
  return column_table_.unknown(syntax, aliases);
}

ExprPtr QueryBinder::make_column(uint32_t index, uint32_t offset) const {
  auto column = std::make_shared<Expr>();
  column->function = Function::column;
  column->type = columns_[index].type;
  column->index = index;
  column->sql_offset = offset;
  return column;
}

/// Columns come before aliases; but in HAVING a column that is no key could mean nothing.
Result<Typed> QueryBinder::column(const Syntax& syntax) {
  if (clause_ == Clause::limit)
    return refuse(syntax.offset, "LIMIT and OFFSET need a whole number");
  GRAPNEL_TRY(const std::optional<uint32_t> found, column_table_.find(syntax));
  std::optional<size_t> alias;
  if (syntax.qualifier.empty()) alias = find_alias(syntax.text, visible_outputs_);
  const bool prefer_alias = clause_ == Clause::having && alias && !in_aggregate_ &&
                            alias_depth_ == 0 && found && !is_key(*found);
  if (found && !prefer_alias) {
    return Typed{make_column(*found, syntax.offset), Literal::none, syntax.offset};
  }
  if (!alias) return unknown_name(syntax);
  if (clause_ == Clause::group_by)
    return refuse(syntax.offset, "an alias in GROUP BY must stand alone",
                  "repeat the expression, or use its number");
  return expand_alias(*alias, syntax);
}

/// Binds the alias's expression anew where it is used. It sees only aliases in front of its own, so
/// this ends; the limit of nodes stops chains that double at each step.
Result<Typed> QueryBinder::expand_alias(size_t output, const Syntax& syntax) {
  const size_t visible = std::exchange(visible_outputs_, output);
  alias_depth_++;
  Result<Typed> value = expressions_.bind(*clauses_.outputs[output].syntax);
  alias_depth_--;
  visible_outputs_ = visible;
  if (value) value->offset = syntax.offset;
  return value;
}

// --- aggregates

uint32_t QueryBinder::intern(op::Aggregate aggregate) {
  std::vector<op::Aggregate>& known = clauses_.aggregates;
  for (uint32_t i = 0; i < known.size(); i++) {
    const bool same_argument = (known[i].argument == nullptr) == (aggregate.argument == nullptr) &&
                               (known[i].argument == nullptr ||
                                op::same_expression(*known[i].argument, *aggregate.argument));
    if (known[i].kind == aggregate.kind && same_argument) return kAggregate + i;
  }
  known.push_back(std::move(aggregate));
  return kAggregate + static_cast<uint32_t>(known.size() - 1);
}

Result<Type> sum_type(Type argument, uint32_t offset) {
  if (argument.is_integer()) return Type::of(TypeKind::hugeint);
  if (argument.kind == TypeKind::decimal) return Type::decimal(38, argument.scale);
  if (argument.kind == TypeKind::real) return argument;
  return refuse(offset, "there is no sum of " + argument.to_string(),
                "sum and avg take numbers; count, min and max take every type");
}

Result<Typed> QueryBinder::aggregate(const Syntax& syntax) {
  if (clause_ == Clause::where || clause_ == Clause::group_by || clause_ == Clause::limit) {
    return refuse(syntax.offset, std::string("aggregates cannot stand in ") + name_of(clause_),
                  clause_ == Clause::where ? "conditions on aggregates stand in HAVING" : "");
  }
  if (in_aggregate_) return refuse(syntax.offset, "aggregates cannot be nested");
  const Type bigint = Type::of(TypeKind::bigint);
  const auto value = [&](op::AggregateKind kind, ExprPtr argument, Type type) {
    const uint32_t index = intern({kind, std::move(argument), type});
    return op::make_result(index, type);
  };
  const auto typed = [&](ExprPtr expr) {
    return Typed{std::move(expr), Literal::none, syntax.offset};
  };
  const bool counts_rows = syntax.star_argument || syntax.arguments.empty();
  if (counts_rows && syntax.text == "count")
    return typed(value(op::AggregateKind::count_rows, nullptr, bigint));
  if (counts_rows || syntax.arguments.size() != 1)
    return refuse(syntax.offset, syntax.text + " takes one argument");

  in_aggregate_ = true;
  Result<ExprPtr> bound = bind_value(*syntax.arguments[0]);
  in_aggregate_ = false;
  GRAPNEL_TRY(ExprPtr argument, std::move(bound));
  const uint32_t offset = syntax.arguments[0]->offset;
  if (syntax.text == "count") {
    if (is_constant(argument) && !argument->constant.is_null)
      return typed(value(op::AggregateKind::count_rows, nullptr, bigint));
    return typed(value(op::AggregateKind::count, std::move(argument), bigint));
  }
  if (syntax.text == "min" || syntax.text == "max") {
    const Type type = argument->type;
    const auto kind = syntax.text == "min" ? op::AggregateKind::min : op::AggregateKind::max;
    return typed(value(kind, std::move(argument), type));
  }
  const bool is_sum = syntax.text == "sum";
  if (is_sum && argument->type.kind == TypeKind::boolean) {
    GRAPNEL_TRY(argument, make_cast(argument, Type::of(TypeKind::integer), offset));
  }
  GRAPNEL_TRY(const Type type, sum_type(argument->type, offset));
  ExprPtr sum = value(op::AggregateKind::sum, argument, type);
  if (is_sum) return typed(std::move(sum));
  ExprPtr count = value(op::AggregateKind::count, std::move(argument), bigint);
  return typed(op::make_call(Function::average, Type::of(TypeKind::real),
                             {std::move(sum), std::move(count)}));
}

Result<ExprPtr> QueryBinder::bind_value(const Syntax& syntax) {
  GRAPNEL_TRY(Typed value, expressions_.bind(syntax));
  if (value.literal == Literal::interval)
    return refuse(value.offset, "an interval can only be added to a date");
  GRAPNEL_CHECK(check_size(value.expr, syntax.offset));
  return std::move(value.expr);
}

Result<ExprPtr> QueryBinder::bind_condition(const Syntax& syntax) {
  GRAPNEL_TRY(ExprPtr condition, expressions_.bind_condition(syntax, name_of(clause_)));
  GRAPNEL_CHECK(check_size(condition, syntax.offset));
  return condition;
}

/// BETWEEN, IS TRUE and the like use an operand more than once: nested, the tree grows faster than
/// the text. Looked at before anything walks it.
Status QueryBinder::check_size(const ExprPtr& expr, uint32_t offset) {
  std::vector<const Expr*> open = {expr.get()};
  while (!open.empty()) {
    if (++nodes_ > limits::kExpressionNodes) {
      return refuse(offset,
                    "the expressions are too large (limit of grapnel: " +
                        std::to_string(limits::kExpressionNodes) + " nodes)",
                    "nested BETWEEN, IS TRUE and IS DISTINCT FROM multiply their operands");
    }
    const Expr* next = open.back();
    open.pop_back();
    for (const ExprPtr& argument : next->arguments) open.push_back(argument.get());
  }
  return ok_status();
}

// --- SELECT list

Status QueryBinder::add_output(Output output, uint32_t offset) {
  if (clauses_.outputs.size() == limits::kColumns) {
    return refuse(offset,
                  "more than " + std::to_string(limits::kColumns) + " columns (limit of grapnel)");
  }
  clauses_.outputs.push_back(std::move(output));
  return ok_status();
}

Status QueryBinder::add_star(const Syntax& star) {
  GRAPNEL_CHECK(column_table_.check_qualifier(star));
  for (uint32_t i = 0; i < columns_.size(); i++) {
    GRAPNEL_CHECK(
        add_output({columns_[i].name, "", nullptr, make_column(i, star.offset)}, star.offset));
  }
  return ok_status();
}

Status QueryBinder::bind_outputs() {
  clause_ = Clause::select;
  for (const SelectItem& item : select_.items) {
    const Syntax& syntax = *item.expression;
    if (syntax.kind == SyntaxKind::star) {
      GRAPNEL_CHECK(add_star(syntax));
      continue;
    }
    visible_outputs_ = clauses_.outputs.size();
    Output output;
    output.syntax = &syntax;
    output.alias = item.alias;
    GRAPNEL_TRY(output.expr, bind_value(syntax));
    output.name = item.alias.empty() ? output_name(syntax) : item.alias;
    if (item.alias.empty() && syntax.kind == SyntaxKind::column) {
      output.name = output.expr->function == Function::column ? columns_[output.expr->index].name
                                                              : syntax.text;
    }
    GRAPNEL_CHECK(add_output(std::move(output), syntax.offset));
  }
  visible_outputs_ = clauses_.outputs.size();
  return ok_status();
}

// --- WHERE, GROUP BY, HAVING, ORDER BY, LIMIT

Status QueryBinder::bind_where() {
  if (!select_.where) return ok_status();
  clause_ = Clause::where;
  GRAPNEL_TRY(const ExprPtr condition, bind_condition(*select_.where));
  clauses_.filter = conjuncts_of(condition);
  return ok_status();
}

/// The output that a plain whole number in GROUP BY or ORDER BY names.
Result<std::optional<size_t>> QueryBinder::ordinal(const Syntax& syntax) const {
  const bool is_whole =
      syntax.kind == SyntaxKind::number && syntax.text.find_first_of(".eE") == std::string::npos;
  if (!is_whole) return std::optional<size_t>();
  const auto number = parse_int128(syntax.text);
  if (!number || *number < 1 || *number > static_cast<Int128>(clauses_.outputs.size())) {
    return refuse(syntax.offset, std::string(name_of(clause_)) + " " + syntax.text +
                                     " is out of range: the result has columns 1 to " +
                                     std::to_string(clauses_.outputs.size()));
  }
  return std::optional(static_cast<size_t>(*number - 1));
}

Status QueryBinder::bind_group_by() {
  clause_ = Clause::group_by;
  for (const SyntaxPtr& syntax : select_.group_by) {
    GRAPNEL_TRY(ExprPtr key, bind_key(*syntax));
    if (has_aggregate(*key)) return refuse(syntax->offset, "aggregates cannot stand in GROUP BY");
    clauses_.keys.push_back(std::move(key));
  }
  return ok_status();
}

Result<ExprPtr> QueryBinder::bind_key(const Syntax& syntax) {
  GRAPNEL_TRY(const std::optional<size_t> number, ordinal(syntax));
  if (number) return clauses_.outputs[*number].expr;
  if (syntax.kind == SyntaxKind::column && syntax.qualifier.empty()) {
    GRAPNEL_TRY(const std::optional<uint32_t> column, column_table_.find(syntax));
    const auto alias = find_alias(syntax.text, clauses_.outputs.size());
    if (!column && alias) return clauses_.outputs[*alias].expr;
  }
  return bind_value(syntax);
}

Status QueryBinder::bind_having() {
  if (!select_.having) return ok_status();
  clause_ = Clause::having;
  GRAPNEL_TRY(clauses_.having, bind_condition(*select_.having));
  return ok_status();
}

Status QueryBinder::bind_order_by() {
  clause_ = Clause::order_by;
  for (const OrderItem& item : select_.order_by) {
    GRAPNEL_TRY(ExprPtr key, bind_sort_key(*item.expression));
    clauses_.sort_keys.push_back(std::move(key));
  }
  return ok_status();
}

/// An alias or number of the result comes first, as a whole; then columns.
Result<ExprPtr> QueryBinder::bind_sort_key(const Syntax& syntax) {
  GRAPNEL_TRY(const std::optional<size_t> number, ordinal(syntax));
  if (number) return clauses_.outputs[*number].expr;
  if (syntax.kind == SyntaxKind::column && syntax.qualifier.empty()) {
    if (const auto alias = find_alias(syntax.text, clauses_.outputs.size()))
      return clauses_.outputs[*alias].expr;
  }
  if (syntax.kind == SyntaxKind::number || syntax.kind == SyntaxKind::string ||
      syntax.kind == SyntaxKind::null || syntax.kind == SyntaxKind::boolean)
    return refuse(syntax.offset, "ORDER BY a constant has no effect",
                  "name a column, or give its number");
  return bind_value(syntax);
}

Status QueryBinder::bind_limits() {
  clause_ = Clause::limit;
  GRAPNEL_TRY(clauses_.limit, bind_limit(select_.limit));
  GRAPNEL_TRY(const std::optional<uint64_t> offset, bind_limit(select_.offset));
  clauses_.offset = offset.value_or(0);
  return ok_status();
}

/// Empty for NULL and ALL.
Result<std::optional<uint64_t>> QueryBinder::bind_limit(const SyntaxPtr& syntax) {
  if (!syntax) return std::optional<uint64_t>();
  GRAPNEL_TRY(const ExprPtr value, bind_value(*syntax));
  if (is_constant(value) && value->constant.is_null) return std::optional<uint64_t>();
  if (!value->type.is_integer() || !is_constant(value))
    return refuse(syntax->offset, "LIMIT and OFFSET need a whole number");
  const Int128 number = value->constant.integer;
  if (number < 0) return refuse(syntax->offset, "LIMIT and OFFSET cannot be negative");
  if (number > std::numeric_limits<int64_t>::max())
    return refuse(syntax->offset, "LIMIT and OFFSET need a number of 64 bits");
  return std::optional(static_cast<uint64_t>(number));
}

}  // namespace

Result<op::Query> bind(const ParsedStatement& statement,
                       const std::vector<source::Column>& columns) {
  if (columns.size() > limits::kColumns) {
    return refuse(0, "the table has " + std::to_string(columns.size()) +
                         " columns (limit of grapnel: " + std::to_string(limits::kColumns) + ")");
  }
  return QueryBinder(*statement.select, columns).run();
}

}  // namespace grapnel::sql
