// The name of a result's column that has no alias. Internal to src/sql.
#pragma once

#include <string>

#include "sql/syntax.h"

namespace grapnel::sql {

/// The expression as DuckDB spells it: "sum((a * 2))", "count_star()", "(a = 1)".
std::string output_name(const Syntax& syntax);

}  // namespace grapnel::sql
