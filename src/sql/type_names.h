// Types by the names that SQL and `columns =>` know. Internal to src/sql.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/source.h"

namespace grapnel::sql {

/// Type `name` (any case, with PostgreSQL's and DuckDB's synonyms) with its numbers in parentheses.
/// The length of VARCHAR(n) has no meaning (as in DuckDB). Errors are placed at `offset`.
Result<op::Type> type_by_name(std::string_view name, const std::vector<int64_t>& modifiers,
                              uint32_t offset);

/// Text of `columns => '...'`: name TYPE, name TYPE, ... `place` turns an offset in `text` into one
/// in the SQL text.
Result<std::vector<source::Column>> parse_column_list(
    std::string_view text, const std::function<uint32_t(uint32_t)>& place);

}  // namespace grapnel::sql
