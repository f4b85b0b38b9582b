// The plain interpreter of expressions: the reference for every lowering, the exact form for
// records that a fast form hands over, and the fallback where there is no compiler.
#pragma once

#include "base/result.h"
#include "op/expr.h"

namespace grapnel::op {

/// Where the interpreter gets its inputs from: a record's fields, or finished results.
class ValueSource {
 public:
  virtual ~ValueSource() = default;
  /// Value of column (or result) `index`. ErrorKind::data if the bytes do not fit the type.
  virtual Result<Datum> load(uint32_t index) = 0;
};

/// Value of `expr`. Text in the result is borrowed from the source or the tree. Errors: those of
/// `load`, and ErrorKind::data for arithmetic out of range.
Result<Datum> evaluate(const Expr& expr, ValueSource& source);

/// True if the record passes; implements the order-free rule of expr.h.
Result<bool> passes(const std::vector<ExprPtr>& filter, ValueSource& source);

/// LIKE by bytes of UTF-8 code points: % any run, _ one code point.
bool like_matches(std::string_view text, std::string_view pattern, char escape);

/// Text -> value as the readers do it (CSV fields, casts from VARCHAR): optional sign, digits,
/// point; surrounding spaces allowed for numbers; decimals round half away from zero when the text
/// has more digits than the scale (DuckDB). Empty when the text does not fit the type.
std::optional<Datum> parse_text(std::string_view text, Type type);

}  // namespace grapnel::op
