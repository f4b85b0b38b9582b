// The table on which the tests of src/sql run, and the way from text to a bound query.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "op/query.h"
#include "sql/bind.h"
#include "sql/parse.h"

namespace grapnel::sql {

/// One column of each type; the same as in make_duckdb_types.py.
inline const std::vector<source::Column>& test_columns() {
  using op::Type;
  using op::TypeKind;
  static const std::vector<source::Column> columns = {{"b", Type::of(TypeKind::boolean)},
                                                      {"ti", Type::of(TypeKind::tinyint)},
                                                      {"si", Type::of(TypeKind::smallint)},
                                                      {"i", Type::of(TypeKind::integer)},
                                                      {"bi", Type::of(TypeKind::bigint)},
                                                      {"hi", Type::of(TypeKind::hugeint)},
                                                      {"uti", Type::of(TypeKind::utinyint)},
                                                      {"usi", Type::of(TypeKind::usmallint)},
                                                      {"ui", Type::of(TypeKind::uinteger)},
                                                      {"ubi", Type::of(TypeKind::ubigint)},
                                                      {"d15", Type::decimal(15, 2)},
                                                      {"d4", Type::decimal(4, 1)},
                                                      {"d9", Type::decimal(9, 3)},
                                                      {"d18", Type::decimal(18, 9)},
                                                      {"d38", Type::decimal(38, 10)},
                                                      {"db", Type::of(TypeKind::real)},
                                                      {"v", Type::of(TypeKind::varchar)},
                                                      {"dt", Type::of(TypeKind::date)},
                                                      {"Mixed Case", Type::of(TypeKind::integer)}};
  return columns;
}

inline Result<op::Query> bind_text(std::string_view sql) {
  Result<ParsedStatement> statement = parse(sql);
  if (!statement) return std::move(statement).error();
  return sql::bind(*statement, test_columns());
}

inline std::vector<std::string> test_names() {
  std::vector<std::string> names;
  names.reserve(test_columns().size());
  for (const source::Column& column : test_columns()) names.push_back(column.name);
  return names;
}

inline std::string aggregate_text(const op::Aggregate& aggregate) {
  static constexpr const char* kNames[] = {"count_rows", "count", "sum", "min", "max"};
  std::string text = kNames[static_cast<size_t>(aggregate.kind)];
  const std::vector<std::string> names = test_names();
  if (aggregate.argument) text += "(" + aggregate.argument->to_string(&names) + ")";
  return text + " " + aggregate.type.to_string();
}

/// A bound query in one text: "WHERE conjunct; conjunct | BY key | AGG ... | ROW ... | OUT name
/// TYPE = expression; ... | HAVING | ORDER | LIMIT | OFFSET", parts that are empty left out.
inline std::string to_text(const op::Query& query) {
  const std::vector<std::string> names = test_names();
  std::vector<std::string> parts;
  const auto add = [&parts](const std::string& title, const std::vector<std::string>& items) {
    if (items.empty()) return;
    std::string text = title + " ";
    for (size_t i = 0; i < items.size(); i++) text += (i > 0 ? "; " : "") + items[i];
    parts.push_back(std::move(text));
  };
  const auto texts = [&names](const std::vector<op::ExprPtr>& expressions) {
    std::vector<std::string> items;
    items.reserve(expressions.size());
    for (const op::ExprPtr& expression : expressions)
      items.push_back(expression->to_string(&names));
    return items;
  };
  add("WHERE", texts(query.op.filter));
  add("BY", texts(query.op.keys));
  std::vector<std::string> items;
  items.reserve(query.op.aggregates.size());
  for (const op::Aggregate& aggregate : query.op.aggregates)
    items.push_back(aggregate_text(aggregate));
  add("AGG", items);
  add("ROW", texts(query.op.outputs));
  items.clear();
  for (size_t i = 0; i < query.schema.size(); i++) {
    items.push_back(query.schema[i].name + " " + query.schema[i].type.to_string() + " = " +
                    query.finish.outputs[i]->to_string());
  }
  add("OUT", items);
  if (query.finish.having) add("HAVING", {query.finish.having->to_string()});
  items.clear();
  for (const op::SortKey& key : query.finish.order_by) {
    items.push_back(key.expression->to_string() + (key.descending ? " DESC" : "") +
                    (key.nulls_first ? " NULLS FIRST" : ""));
  }
  add("ORDER", items);
  if (query.finish.limit) add("LIMIT", {std::to_string(*query.finish.limit)});
  if (query.finish.offset > 0) add("OFFSET", {std::to_string(query.finish.offset)});
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " | ") + part;
  return text;
}

/// The bound query as text, or "refused: message".
inline std::string bound_text(std::string_view sql) {
  const Result<op::Query> query = bind_text(sql);
  return query ? to_text(*query) : "refused: " + query.error().message;
}

/// The conjuncts to which a condition is bound.
inline std::string where_text(const std::string& condition) {
  std::string text = bound_text("SELECT b FROM 't.csv' WHERE " + condition);
  const size_t end = text.find(" | ROW");
  if (text.starts_with("refused") || end == std::string::npos) return text;
  return text.substr(6, end - 6);
}

/// The expression to which a SELECT item without aggregates is bound.
inline std::string item_text(const std::string& expression) {
  const Result<op::Query> query = bind_text("SELECT " + expression + " FROM 't.csv'");
  if (!query) return "refused: " + query.error().message;
  const std::vector<std::string> names = test_names();
  return query->op.outputs.at(0)->to_string(&names) + " " + query->schema.at(0).type.to_string();
}

}  // namespace grapnel::sql
