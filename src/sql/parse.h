// SQL text -> syntax, checked as far as possible without knowing the table's columns.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "source/source.h"

namespace grapnel::sql {

enum class StatementKind : uint8_t { query, explain, explain_analyze, explain_json };

struct SelectSyntax;  // sql/syntax.h

/// One statement. Immutable; copies share the syntax tree; safe to use from several threads.
struct ParsedStatement {
  StatementKind kind = StatementKind::query;
  /// The one table. `format` is always set: by the reader function, or by the name's suffix.
  source::TableRequest table;
  std::shared_ptr<const SelectSyntax> select;
};

/// Parses one SELECT, EXPLAIN [ANALYZE] SELECT or EXPLAIN (FORMAT JSON) SELECT. Thread-safe. Reads
/// no file. Errors: ErrorKind::refused with `sql_offset` for wrong syntax and for all that
/// docs/sql.md does not list (joins, subqueries, windows, ...); for text beyond the limits in
/// base/limits.h.
Result<ParsedStatement> parse(std::string_view sql);

}  // namespace grapnel::sql
