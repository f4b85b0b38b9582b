// The table's columns by name. Internal to src/sql.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "source/source.h"
#include "sql/syntax.h"

namespace grapnel::sql {

class ColumnTable {
 public:
  ColumnTable(std::string table_name, const std::vector<source::Column>& columns);

  /// ErrorKind::refused if the qualifier is not the table's name.
  [[nodiscard]] Status check_qualifier(const Syntax& syntax) const;
  /// The column that `syntax` names: in the same case if there is one, else in any. Empty if there
  /// is none. ErrorKind::refused: wrong qualifier, or several columns that differ only in case.
  [[nodiscard]] Result<std::optional<uint32_t>> find(const Syntax& syntax) const;
  /// The error for a name that is neither a column nor one of `aliases`.
  [[nodiscard]] Error unknown(const Syntax& syntax, const std::vector<std::string>& aliases) const;

 private:
  std::string table_name_;
  const std::vector<source::Column>& columns_;
  std::unordered_multimap<std::string, uint32_t> by_name_;  ///< lower case
};

}  // namespace grapnel::sql
