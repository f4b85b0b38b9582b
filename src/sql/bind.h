// Syntax + the table's columns -> typed query.
#pragma once

#include <vector>

#include "base/result.h"
#include "op/query.h"
#include "source/source.h"
#include "sql/parse.h"

namespace grapnel::sql {

/// Resolves names, fixes types as DuckDB does (docs/sql.md), folds constants, and brings the query
/// into the form that the lowerings expect: WHERE as conjuncts without NOT around comparisons,
/// constants of comparisons on the right and in the type of the left side, each aggregate once.
/// `columns` are the table's, in order; Function::column counts in it. Thread-safe.
/// Errors: ErrorKind::refused with `sql_offset`: unknown or ambiguous name, types that do not fit,
/// not grouped column, constant expression that fails, limits of base/limits.h.
Result<op::Query> bind(const ParsedStatement& statement,
                       const std::vector<source::Column>& columns);

}  // namespace grapnel::sql
