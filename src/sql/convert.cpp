#include "sql/convert.h"

#include "base/limits.h"
#include "sql/names.h"
#include "sql/refusal.h"
#include "sql/type_names.h"

namespace grapnel::sql {

namespace {

using op::Function;

struct Sign {
  std::string_view text;
  Function function;
};
constexpr Sign kBinarySigns[] = {
    {"+", Function::add},        {"-", Function::subtract},       {"*", Function::multiply},
    {"/", Function::divide},     {"%", Function::modulo},         {"=", Function::equal},
    {"<>", Function::not_equal}, {"<", Function::less},           {"<=", Function::less_equal},
    {">", Function::greater},    {">=", Function::greater_equal},
};

/// What a kind of node is called in SQL, for refusals.
const char* name_of(const PgQuery__Node& node) {
  switch (node.node_case) {
    case PG_QUERY__NODE__NODE_SUB_LINK:
      return "subqueries are not supported";
    case PG_QUERY__NODE__NODE_CASE_EXPR:
      return "CASE is not supported";
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      return "COALESCE is not supported";
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      return "GREATEST and LEAST are not supported";
    case PG_QUERY__NODE__NODE_ROW_EXPR:
      return "rows of values are not supported";
    case PG_QUERY__NODE__NODE_GROUPING_SET:
      return "grouping sets are not supported";
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return "GROUPING is not supported";
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
      return "fields and elements of values are not supported";
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return "arrays are not supported";
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      return "COLLATE is not supported";
    case PG_QUERY__NODE__NODE_PARAM_REF:
      return "parameters are not supported";
    case PG_QUERY__NODE__NODE_NAMED_ARG_EXPR:
      return "named arguments are for csv(...) and fixed(...)";
    case PG_QUERY__NODE__NODE_LIST:
      return "lists of values are not supported here";
    default:
      return "this is not supported";
  }
}

}  // namespace

int32_t location_of(const PgQuery__Node& node) {
  switch (node.node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
      return node.a_const->location;
    case PG_QUERY__NODE__NODE_A_EXPR:
      return node.a_expr->location;
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return node.column_ref->location;
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      return node.func_call->location;
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
      return node.bool_expr->location;
    case PG_QUERY__NODE__NODE_NULL_TEST:
      return node.null_test->location;
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
      return node.boolean_test->location;
    case PG_QUERY__NODE__NODE_SUB_LINK:
      return node.sub_link->location;
    case PG_QUERY__NODE__NODE_CASE_EXPR:
      return node.case_expr->location;
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      return node.coalesce_expr->location;
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      return node.min_max_expr->location;
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return node.sqlvalue_function->location;
    case PG_QUERY__NODE__NODE_ROW_EXPR:
      return node.row_expr->location;
    case PG_QUERY__NODE__NODE_GROUPING_SET:
      return node.grouping_set->location;
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return node.grouping_func->location;
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      return node.collate_clause->location;
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return node.a_array_expr->location;
    case PG_QUERY__NODE__NODE_NAMED_ARG_EXPR:
      return node.named_arg_expr->location;
    case PG_QUERY__NODE__NODE_XML_EXPR:
      return node.xml_expr->location;
    case PG_QUERY__NODE__NODE_PARAM_REF:
      return node.param_ref->location;
    case PG_QUERY__NODE__NODE_RES_TARGET:
      return node.res_target->location;
    case PG_QUERY__NODE__NODE_RANGE_VAR:
      return node.range_var->location;
    case PG_QUERY__NODE__NODE_SORT_BY:
      return location_of(*node.sort_by->node);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
      return node.type_cast->location >= 0 ? node.type_cast->location
                                           : node.type_cast->type_name->location;
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
      return location_of(*node.a_indirection->arg);
    case PG_QUERY__NODE__NODE_LIST:
      return node.list->n_items > 0 ? location_of(*node.list->items[0]) : -1;
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
      return node.range_function->n_functions > 0 ? location_of(*node.range_function->functions[0])
                                                  : -1;
    default:
      return -1;
  }
}

std::string_view string_of(const PgQuery__Node& node) {
  return node.node_case == PG_QUERY__NODE__NODE_STRING ? std::string_view(node.string->sval)
                                                       : std::string_view();
}

uint32_t ExpressionConverter::place(int32_t location) const {
  return prepared_.original_offset(location < 0 ? 0 : static_cast<uint32_t>(location));
}

ExpressionConverter::Made ExpressionConverter::make(SyntaxKind kind, int32_t location) const {
  auto made = std::make_unique<Syntax>();
  made->kind = kind;
  made->offset = place(location);
  return made;
}

Status ExpressionConverter::add_argument(Syntax& parent, const PgQuery__Node* argument) {
  if (argument == nullptr) return refuse(parent.offset, "an operand is missing");
  GRAPNEL_TRY(SyntaxPtr converted, convert(*argument));
  parent.arguments.push_back(std::move(converted));
  return ok_status();
}

Result<SyntaxPtr> ExpressionConverter::convert(const PgQuery__Node& node) {
  if (depth_ == limits::kExpressionDepth) {
    return refuse(place(location_of(node)),
                  "the expression is nested too deeply (limit of grapnel: " +
                      std::to_string(limits::kExpressionDepth) + " levels)",
                  "use IN for long lists of alternatives, or split the expression");
  }
  depth_++;
  Result<SyntaxPtr> result = dispatch(node);
  depth_--;
  return result;
}

Result<SyntaxPtr> ExpressionConverter::dispatch(const PgQuery__Node& node) {
  switch (node.node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
      return constant(*node.a_const);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return column(*node.column_ref, false);
    case PG_QUERY__NODE__NODE_A_EXPR:
      return expression(*node.a_expr);
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
      return logic(*node.bool_expr);
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
      return boolean_test(*node.boolean_test);
    case PG_QUERY__NODE__NODE_NULL_TEST:
      return null_test(*node.null_test);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
      return cast(*node.type_cast);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      return call(*node.func_call);
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return refuse(place(location_of(node)), "functions of time and user are not supported",
                    "a column with such a name is written in double quotes");
    default:
      return refuse(place(location_of(node)), name_of(node), "docs/sql.md lists the language");
  }
}

Result<SyntaxPtr> ExpressionConverter::convert_item(const PgQuery__Node& node) {
  if (node.node_case == PG_QUERY__NODE__NODE_COLUMN_REF) return column(*node.column_ref, true);
  return convert(node);
}

Result<SyntaxPtr> ExpressionConverter::constant(const PgQuery__AConst& node) {
  if (node.isnull) return SyntaxPtr(make(SyntaxKind::null, node.location));
  switch (node.val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL: {
      Made made = make(SyntaxKind::number, node.location);
      made->text = std::to_string(node.ival->ival);
      return SyntaxPtr(std::move(made));
    }
    case PG_QUERY__A__CONST__VAL_FVAL: {
      Made made = make(SyntaxKind::number, node.location);
      made->text = node.fval->fval;
      return SyntaxPtr(std::move(made));
    }
    case PG_QUERY__A__CONST__VAL_BOOLVAL: {
      Made made = make(SyntaxKind::boolean, node.location);
      made->text = node.boolval->boolval ? "true" : "false";
      return SyntaxPtr(std::move(made));
    }
    case PG_QUERY__A__CONST__VAL_SVAL: {
      Made made = make(SyntaxKind::string, node.location);
      made->text = node.sval->sval;
      return SyntaxPtr(std::move(made));
    }
    default:
      return refuse(place(node.location), "bit strings are not supported");
  }
}

Result<SyntaxPtr> ExpressionConverter::column(const PgQuery__ColumnRef& node, bool star_allowed) {
  const PgQuery__Node& last = *node.fields[node.n_fields - 1];
  const bool is_star = last.node_case == PG_QUERY__NODE__NODE_A_STAR;
  if (is_star && !star_allowed)
    return refuse(place(node.location), "* stands only in the SELECT list and in count(*)");
  if (node.n_fields > 2)
    return refuse(place(node.location), "a column's name has at most one qualifier",
                  "write t.column, or column alone");
  Made made = make(is_star ? SyntaxKind::star : SyntaxKind::column, node.location);
  if (!is_star) made->text = prepared_.original_name(string_of(last));
  if (node.n_fields == 2) made->qualifier = prepared_.original_name(string_of(*node.fields[0]));
  return SyntaxPtr(std::move(made));
}

Result<SyntaxPtr> ExpressionConverter::expression(const PgQuery__AExpr& node) {
  switch (node.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
      return operation(node);
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
      return between(node, false);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
      return between(node, true);
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
      return in_list(node);
    case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
      return like(node);
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
      return distinct(node, false);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
      return distinct(node, true);
    case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
      return refuse(place(node.location), "ILIKE is not supported", "LIKE regards case");
    case PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR:
      return refuse(place(node.location), "SIMILAR TO is not supported", "use LIKE");
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
      return refuse(place(node.location), "ANY and ALL are not supported", "use IN (...)");
    case PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF:
      return refuse(place(node.location), "NULLIF is not supported");
    default:
      return refuse(place(node.location), "BETWEEN SYMMETRIC is not supported", "use BETWEEN");
  }
}

Result<SyntaxPtr> ExpressionConverter::operation(const PgQuery__AExpr& node) {
  const std::string_view sign = node.n_name == 1 ? string_of(*node.name[0]) : "";
  if (node.lexpr == nullptr && (sign == "-" || sign == "+")) {
    Made made = make(sign == "-" ? SyntaxKind::operation : SyntaxKind::positive, node.location);
    made->function = Function::negate;
    GRAPNEL_CHECK(add_argument(*made, node.rexpr));
    return SyntaxPtr(std::move(made));
  }
  for (const Sign& known : kBinarySigns) {
    if (known.text != sign || node.lexpr == nullptr) continue;
    Made made = make(SyntaxKind::operation, node.location);
    made->function = known.function;
    if (known.function == Function::modulo &&
        prepared_.is_integer_division(static_cast<uint32_t>(node.location)))
      made->function = Function::integer_divide;
    GRAPNEL_CHECK(add_argument(*made, node.lexpr));
    GRAPNEL_CHECK(add_argument(*made, node.rexpr));
    return SyntaxPtr(std::move(made));
  }
  return refuse(place(node.location), "there is no operator " + std::string(sign),
                "operators: + - * / // % = <> != < <= > >= BETWEEN IN LIKE AND OR NOT IS");
}

Result<SyntaxPtr> ExpressionConverter::between(const PgQuery__AExpr& node, bool negated) {
  Made made = make(SyntaxKind::between, node.location);
  made->negated = negated;
  GRAPNEL_CHECK(add_argument(*made, node.lexpr));
  if (node.rexpr->node_case != PG_QUERY__NODE__NODE_LIST || node.rexpr->list->n_items != 2)
    return refuse(made->offset, "BETWEEN needs two bounds");
  GRAPNEL_CHECK(add_argument(*made, node.rexpr->list->items[0]));
  GRAPNEL_CHECK(add_argument(*made, node.rexpr->list->items[1]));
  return SyntaxPtr(std::move(made));
}

Result<SyntaxPtr> ExpressionConverter::in_list(const PgQuery__AExpr& node) {
  Made made = make(SyntaxKind::in_list, node.location);
  made->negated = string_of(*node.name[0]) == "<>";
  GRAPNEL_CHECK(add_argument(*made, node.lexpr));
  if (node.rexpr->node_case != PG_QUERY__NODE__NODE_LIST)
    return refuse(made->offset, "IN needs a list of values in parentheses");
  for (size_t i = 0; i < node.rexpr->list->n_items; i++)
    GRAPNEL_CHECK(add_argument(*made, node.rexpr->list->items[i]));
  return SyntaxPtr(std::move(made));
}

Result<SyntaxPtr> ExpressionConverter::like(const PgQuery__AExpr& node) {
  Made made = make(SyntaxKind::like, node.location);
  made->negated = string_of(*node.name[0]) == "!~~";
  GRAPNEL_CHECK(add_argument(*made, node.lexpr));
  const PgQuery__Node& pattern = *node.rexpr;
  // x LIKE p ESCAPE e reads x ~~ pg_catalog.like_escape(p, e) in PostgreSQL's tree.
  if (pattern.node_case == PG_QUERY__NODE__NODE_FUNC_CALL && pattern.func_call->n_funcname == 2 &&
      pattern.func_call->n_args == 2 &&
      string_of(*pattern.func_call->funcname[1]) == "like_escape") {
    GRAPNEL_CHECK(add_argument(*made, pattern.func_call->args[0]));
    GRAPNEL_CHECK(add_argument(*made, pattern.func_call->args[1]));
  } else {
    GRAPNEL_CHECK(add_argument(*made, &pattern));
  }
  return SyntaxPtr(std::move(made));
}

Result<SyntaxPtr> ExpressionConverter::distinct(const PgQuery__AExpr& node, bool negated) {
  Made made = make(SyntaxKind::distinct_from, node.location);
  made->negated = negated;
  GRAPNEL_CHECK(add_argument(*made, node.lexpr));
  GRAPNEL_CHECK(add_argument(*made, node.rexpr));
  return SyntaxPtr(std::move(made));
}

Result<SyntaxPtr> ExpressionConverter::logic(const PgQuery__BoolExpr& node) {
  Made made = make(SyntaxKind::operation, node.location);
  made->function = node.boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR  ? Function::and_
                   : node.boolop == PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR ? Function::or_
                                                                      : Function::not_;
  for (size_t i = 0; i < node.n_args; i++) GRAPNEL_CHECK(add_argument(*made, node.args[i]));
  return SyntaxPtr(std::move(made));
}

Result<SyntaxPtr> ExpressionConverter::boolean_test(const PgQuery__BooleanTest& node) {
  const auto test = node.booltesttype;
  const bool unknown = test == PG_QUERY__BOOL_TEST_TYPE__IS_UNKNOWN ||
                       test == PG_QUERY__BOOL_TEST_TYPE__IS_NOT_UNKNOWN;
  Made made = make(unknown ? SyntaxKind::is_null : SyntaxKind::is_boolean, node.location);
  const bool is_true =
      test == PG_QUERY__BOOL_TEST_TYPE__IS_TRUE || test == PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE;
  made->text = is_true ? "true" : "false";
  made->negated = test == PG_QUERY__BOOL_TEST_TYPE__IS_NOT_UNKNOWN ||
                  test == PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE ||
                  test == PG_QUERY__BOOL_TEST_TYPE__IS_NOT_FALSE;
  GRAPNEL_CHECK(add_argument(*made, node.arg));
  return SyntaxPtr(std::move(made));
}

Result<SyntaxPtr> ExpressionConverter::null_test(const PgQuery__NullTest& node) {
  Made made = make(SyntaxKind::is_null, node.location);
  made->negated = node.nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL;
  GRAPNEL_CHECK(add_argument(*made, node.arg));
  return SyntaxPtr(std::move(made));
}

namespace {

/// The numbers in parentheses behind a type's name. Empty if one is no whole number.
std::optional<std::vector<int64_t>> modifiers_of(const PgQuery__TypeName& name) {
  std::vector<int64_t> modifiers;
  for (size_t i = 0; i < name.n_typmods; i++) {
    const PgQuery__Node& node = *name.typmods[i];
    if (node.node_case != PG_QUERY__NODE__NODE_A_CONST ||
        node.a_const->val_case != PG_QUERY__A__CONST__VAL_IVAL)
      return std::nullopt;
    modifiers.push_back(node.a_const->ival->ival);
  }
  return modifiers;
}

/// As DuckDB spells the type in the name of a column.
std::string type_text(op::Type type) {
  if (type.kind != op::TypeKind::decimal) return type.to_string();
  return "DECIMAL(" + std::to_string(type.precision) + ", " + std::to_string(type.scale) + ")";
}

}  // namespace

Result<SyntaxPtr> ExpressionConverter::cast(const PgQuery__TypeCast& node) {
  const PgQuery__TypeName& name = *node.type_name;
  const uint32_t type_place = place(name.location);
  if (name.n_names == 0 || name.n_array_bounds > 0 || name.setof || name.pct_type)
    return refuse(type_place, "this type is not supported");
  const std::string_view type_name = string_of(*name.names[name.n_names - 1]);
  const bool is_postgres_name = name.n_names == 2 && string_of(*name.names[0]) == "pg_catalog";
  if (name.n_names > 1 && !is_postgres_name)
    return refuse(type_place, "a type's name has no qualifier");
  // To PostgreSQL plain FLOAT has 64 bits, to DuckDB 32.
  const size_t begin =
      name.location < 0 ? prepared_.text.size() : static_cast<size_t>(name.location);
  if (is_postgres_name && same_name(std::string_view(prepared_.text).substr(begin, 5), "float"))
    return type_by_name("float", {}, type_place).error();
  if (same_name(type_name, "interval")) return interval(node);
  // The grammar knows the length of these; it has no meaning.
  const bool is_text = same_name(type_name, "bpchar") || same_name(type_name, "varchar");
  const auto modifiers = is_text ? std::vector<int64_t>() : modifiers_of(name);
  if (!modifiers) return refuse(type_place, "expected whole numbers behind a type's name");
  Made made = make(SyntaxKind::cast, node.location >= 0 ? node.location : name.location);
  GRAPNEL_TRY(made->type, type_by_name(type_name, *modifiers, type_place));
  made->text = type_text(made->type);
  GRAPNEL_CHECK(add_argument(*made, node.arg));
  return SyntaxPtr(std::move(made));
}

Result<SyntaxPtr> ExpressionConverter::interval(const PgQuery__TypeCast& node) {
  const int32_t location = node.location >= 0 ? node.location : node.type_name->location;
  Made made = make(SyntaxKind::interval, location);
  const auto modifiers = modifiers_of(*node.type_name);
  const bool is_literal = node.arg->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                          node.arg->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
  std::optional<Interval> value;
  if (modifiers && modifiers->size() <= 1 && is_literal) {
    const auto mask = modifiers->empty() ? 0 : static_cast<int32_t>(modifiers->front());
    value = parse_interval(node.arg->a_const->sval->sval, mask);
  }
  if (!value)
    return refuse(made->offset, "this interval is not supported",
                  "write INTERVAL '90' DAY, INTERVAL '3 months' or INTERVAL 1 YEAR");
  made->months = value->months;
  made->days = value->days;
  return SyntaxPtr(std::move(made));
}

Result<SyntaxPtr> ExpressionConverter::call(const PgQuery__FuncCall& node) {
  Made made = make(SyntaxKind::call, node.location);
  made->text = lower(prepared_.original_name(string_of(*node.funcname[node.n_funcname - 1])));
  if (node.n_funcname > 1) {
    // EXTRACT, SUBSTRING, POSITION, ... are calls of pg_catalog's functions in PostgreSQL's tree.
    return refuse(made->offset, "function " + made->text + " is not supported",
                  "functions: count, sum, avg, min, max");
  }
  if (node.over != nullptr)
    return refuse(made->offset, "window functions are not supported", "use GROUP BY");
  if (node.agg_filter != nullptr)
    return refuse(made->offset, "FILTER is not supported", "put the condition into WHERE");
  if (node.agg_distinct)
    return refuse(made->offset, made->text + "(DISTINCT ...) is not supported",
                  "SELECT DISTINCT lists the values");
  if (node.n_agg_order > 0 || node.agg_within_group)
    return refuse(made->offset, "ORDER BY in an aggregate is not supported");
  if (node.func_variadic) return refuse(made->offset, "VARIADIC is not supported");
  made->star_argument = node.agg_star;
  for (size_t i = 0; i < node.n_args; i++) GRAPNEL_CHECK(add_argument(*made, node.args[i]));
  return SyntaxPtr(std::move(made));
}

}  // namespace grapnel::sql
