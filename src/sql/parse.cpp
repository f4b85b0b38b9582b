#include "sql/parse.h"

#include <cstring>

#include "base/limits.h"
#include "sql/convert.h"
#include "sql/names.h"
#include "sql/postgres.h"
#include "sql/prepare.h"
#include "sql/refusal.h"
#include "sql/syntax.h"
#include "sql/table.h"

namespace grapnel::sql {

namespace {

constexpr const char* kLanguageHint =
    "grapnel reads SELECT [DISTINCT] ... FROM 'file' [WHERE ...] [GROUP BY ...] [HAVING ...] "
    "[ORDER BY ...] [LIMIT n] [OFFSET n]; docs/sql.md has the whole language";

/// Words of DuckDB's grammar at which PostgreSQL's stops.
struct KnownWord {
  const char* word;
  const char* hint;
};
constexpr KnownWord kKnownWords[] = {
    {"all",
     "GROUP BY ALL and ORDER BY ALL are not supported: name the columns, or give their numbers"},
    {"exclude", "* EXCLUDE is not supported: name the columns"},
    {"replace", "* REPLACE is not supported: name the columns"},
    {"rename", "* RENAME is not supported: use a AS b"},
};

/// PostgreSQL's message about the prepared text, as one about the text that the user typed.
Error parser_error(std::string_view sql, const PreparedText& prepared, const pg::Failure& failure) {
  if (failure.character <= 0) return refuse(0, failure.message, kLanguageHint);
  const uint32_t offset =
      prepared.original_offset(byte_of_character(prepared.text, failure.character));
  if (failure.message.starts_with("syntax error")) {
    const char* hint = kLanguageHint;
    for (const KnownWord& known : kKnownWords) {
      if (same_name(sql.substr(offset, std::strlen(known.word)), known.word)) hint = known.hint;
    }
    return refuse(offset, "syntax error at " + token_at(sql, offset), hint);
  }
  return refuse(offset, failure.message, kLanguageHint);
}

class SelectConverter {
 public:
  SelectConverter(std::string_view sql, const PreparedText& prepared)
      : sql_(sql), prepared_(prepared), expressions_(prepared) {}

  Status run(const PgQuery__SelectStmt& node, ParsedStatement& statement) {
    GRAPNEL_CHECK(refuse_clauses(node));
    GRAPNEL_CHECK(distinct(node));
    GRAPNEL_CHECK(items(node));
    if (node.n_from_clause != 1) {
      if (node.n_from_clause == 0) return refuse(end(), "FROM is missing", "write FROM 'file.csv'");
      return refuse(place(*node.from_clause[1]), "a query reads one file",
                    "query each file by itself");
    }
    GRAPNEL_TRY(TableReference table,
                convert_table(*node.from_clause[0], sql_, prepared_, expressions_));
    statement.table = std::move(table.request);
    select_->table_name = std::move(table.name);
    GRAPNEL_CHECK(optional(node.where_clause, select_->where));
    for (size_t i = 0; i < node.n_group_clause; i++) {
      SyntaxPtr key;
      GRAPNEL_CHECK(optional(node.group_clause[i], key));
      select_->group_by.push_back(std::move(key));
    }
    GRAPNEL_CHECK(optional(node.having_clause, select_->having));
    GRAPNEL_CHECK(order_by(node));
    GRAPNEL_CHECK(optional(node.limit_count, select_->limit));
    GRAPNEL_CHECK(optional(node.limit_offset, select_->offset));
    statement.select = std::move(select_);
    return ok_status();
  }

 private:
  [[nodiscard]] uint32_t place(const PgQuery__Node& node) const {
    return expressions_.place(location_of(node));
  }
  [[nodiscard]] uint32_t end() const { return static_cast<uint32_t>(sql_.size()); }

  Status refuse_clauses(const PgQuery__SelectStmt& node) const {
    if (node.n_values_lists > 0 || node.op != PG_QUERY__SET_OPERATION__SETOP_NONE)
      return refuse(0, "a statement is one SELECT");
    if (node.with_clause != nullptr) return refuse(0, "WITH is not supported");
    if (node.into_clause != nullptr)
      return refuse(0, "SELECT INTO is not supported", "grapnel reads files and writes none");
    if (node.n_window_clause > 0) return refuse(0, "windows are not supported", "use GROUP BY");
    if (node.n_locking_clause > 0) return refuse(0, "FOR UPDATE and FOR SHARE are not supported");
    if (node.group_distinct) return refuse(0, "GROUP BY DISTINCT is not supported");
    if (node.limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES)
      return refuse(place(*node.limit_count), "WITH TIES is not supported", "use LIMIT");
    return ok_status();
  }

  Status distinct(const PgQuery__SelectStmt& node) const {
    if (node.n_distinct_clause == 0) return ok_status();
    const PgQuery__Node& first = *node.distinct_clause[0];
    if (first.node_case != PG_QUERY__NODE__NODE__NOT_SET)  // an empty node is plain DISTINCT
      return refuse(place(first), "DISTINCT ON is not supported", "use GROUP BY");
    select_->distinct = true;
    select_->distinct_offset = prepared_.distinct_offset;
    return ok_status();
  }

  Status items(const PgQuery__SelectStmt& node) {
    if (node.n_target_list == 0) return refuse(end(), "the SELECT list is empty");
    if (node.n_target_list > limits::kColumns) {
      return refuse(
          place(*node.target_list[limits::kColumns]),
          "more than " + std::to_string(limits::kColumns) + " columns (limit of grapnel)");
    }
    for (size_t i = 0; i < node.n_target_list; i++) {
      const PgQuery__ResTarget& target = *node.target_list[i]->res_target;
      SelectItem item;
      GRAPNEL_TRY(item.expression, expressions_.convert_item(*target.val));
      item.alias = prepared_.original_name(target.name);
      select_->items.push_back(std::move(item));
    }
    return ok_status();
  }

  Status order_by(const PgQuery__SelectStmt& node) {
    for (size_t i = 0; i < node.n_sort_clause; i++) {
      const PgQuery__SortBy& key = *node.sort_clause[i]->sort_by;
      OrderItem item;
      if (key.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING)
        return refuse(place(*key.node), "ORDER BY ... USING is not supported", "use ASC or DESC");
      item.descending = key.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
      item.nulls_first = key.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST;
      GRAPNEL_CHECK(optional(key.node, item.expression));
      select_->order_by.push_back(std::move(item));
    }
    return ok_status();
  }

  Status optional(const PgQuery__Node* node, SyntaxPtr& into) {
    if (node == nullptr) return ok_status();
    GRAPNEL_TRY(into, expressions_.convert(*node));
    return ok_status();
  }

  std::string_view sql_;
  const PreparedText& prepared_;
  ExpressionConverter expressions_;
  std::shared_ptr<SelectSyntax> select_ = std::make_shared<SelectSyntax>();
};

}  // namespace

Result<ParsedStatement> parse(std::string_view sql) {
  GRAPNEL_TRY(const PreparedText prepared, prepare(sql));
  pg::Failure failure;
  const pg::Tree tree = pg::parse(prepared.text, failure);
  if (!tree) return parser_error(sql, prepared, failure);
  if (tree->n_stmts != 1 || tree->stmts[0]->stmt->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
    return refuse(0, "a statement is one SELECT", kLanguageHint);
  ParsedStatement statement;
  statement.kind = prepared.kind;
  GRAPNEL_CHECK(SelectConverter(sql, prepared).run(*tree->stmts[0]->stmt->select_stmt, statement));
  return statement;
}

}  // namespace grapnel::sql
