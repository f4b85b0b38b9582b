// FROM: a path, or csv(...), lines(...), fixed(...). Internal to src/sql.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "source/source.h"
#include "sql/convert.h"
#include "sql/postgres.h"
#include "sql/prepare.h"

namespace grapnel::sql {

struct TableReference {
  source::TableRequest request;
  std::string name;  ///< for t.column: the alias, else the file's name without suffix
};

/// `sql` is the original text. Errors: ErrorKind::refused.
Result<TableReference> convert_table(const PgQuery__Node& node, std::string_view sql,
                                     const PreparedText& prepared,
                                     const ExpressionConverter& converter);

}  // namespace grapnel::sql
