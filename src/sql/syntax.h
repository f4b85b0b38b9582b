// The syntax of one SELECT as the binder sees it: our own small tree, so that nothing but the
// parser knows libpg_query. Internal to src/sql.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "op/expr.h"
#include "op/type.h"

namespace grapnel::sql {

enum class SyntaxKind : uint8_t {
  column,   ///< `text`, perhaps with `qualifier`
  star,     ///< * or t.* (`qualifier`); only as an item of the SELECT list
  number,   ///< `text`: digits, point, exponent, perhaps a minus sign
  string,   ///< `text`
  boolean,  ///< `text`: "true" or "false"
  null,
  interval,       ///< `months`, `days`
  operation,      ///< `function` on `arguments`: arithmetic, comparison, and_, or_, not_, negate
  positive,       ///< +x
  is_null,        ///< negated: IS NOT NULL
  is_boolean,     ///< x IS [NOT] TRUE, FALSE: `text`
  distinct_from,  ///< a IS DISTINCT FROM b; negated: IS NOT DISTINCT FROM
  between,        ///< arguments: value, low, high
  in_list,        ///< arguments: value, candidates...
  like,           ///< arguments: value, pattern, perhaps the escape
  cast,           ///< to `type`; `text` is the type as names of columns spell it
  call,           ///< function `text` (lower case) of `arguments`; `star_argument` for f(*)
};

struct Syntax;
using SyntaxPtr = std::unique_ptr<const Syntax>;

struct Syntax {
  SyntaxKind kind = SyntaxKind::null;
  uint32_t offset = 0;  ///< byte in the SQL text to which messages point
  std::string text;
  std::string qualifier;
  op::Function function = op::Function::constant;
  bool negated = false;
  bool star_argument = false;
  op::Type type;
  int32_t months = 0, days = 0;
  std::vector<SyntaxPtr> arguments;
};

struct SelectItem {
  SyntaxPtr expression;
  std::string alias;  ///< empty: none
};

struct OrderItem {
  SyntaxPtr expression;
  bool descending = false;
  bool nulls_first = false;
};

struct SelectSyntax {
  bool distinct = false;
  uint32_t distinct_offset = 0;
  std::vector<SelectItem> items;
  std::string table_name;  ///< by which t.column may name the table
  SyntaxPtr where;
  std::vector<SyntaxPtr> group_by;
  SyntaxPtr having;
  std::vector<OrderItem> order_by;
  SyntaxPtr limit;
  SyntaxPtr offset;
};

}  // namespace grapnel::sql
