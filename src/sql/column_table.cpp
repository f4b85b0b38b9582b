#include "sql/column_table.h"

#include <utility>

#include "sql/names.h"
#include "sql/refusal.h"

namespace grapnel::sql {

ColumnTable::ColumnTable(std::string table_name, const std::vector<source::Column>& columns)
    : table_name_(std::move(table_name)), columns_(columns) {
  for (uint32_t i = 0; i < columns.size(); i++) by_name_.emplace(lower(columns[i].name), i);
}

Status ColumnTable::check_qualifier(const Syntax& syntax) const {
  if (syntax.qualifier.empty() || same_name(syntax.qualifier, table_name_)) return ok_status();
  return refuse(syntax.offset, "there is no table " + syntax.qualifier,
                "the table is called " + quote_if_needed(table_name_));
}

Result<std::optional<uint32_t>> ColumnTable::find(const Syntax& syntax) const {
  GRAPNEL_CHECK(check_qualifier(syntax));
  std::optional<uint32_t> found;
  bool ambiguous = false;
  const auto [begin, end] = by_name_.equal_range(lower(syntax.text));
  for (auto it = begin; it != end; ++it) {
    if (columns_[it->second].name == syntax.text) return std::optional(it->second);
    ambiguous = found.has_value();
    found = it->second;
  }
  if (ambiguous)
    return refuse(syntax.offset, "the name " + syntax.text + " fits several columns",
                  "write it in the case that the file has, in double quotes");
  return found;
}

Error ColumnTable::unknown(const Syntax& syntax, const std::vector<std::string>& aliases) const {
  std::vector<std::string> known;
  known.reserve(columns_.size() + aliases.size());
  for (const source::Column& column : columns_) known.push_back(column.name);
  known.insert(known.end(), aliases.begin(), aliases.end());
  return refuse(syntax.offset, "there is no column " + quote_if_needed(syntax.text),
                near_names_hint(syntax.text, known));
}

}  // namespace grapnel::sql
