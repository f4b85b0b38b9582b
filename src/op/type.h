// The types of grapnel's expressions. Meaning follows DuckDB's types of the same names.
#pragma once

#include <cstdint>
#include <string>

#include "base/int128.h"

namespace grapnel::op {

enum class TypeKind : uint8_t {
  boolean,
  tinyint,
  smallint,
  integer,
  bigint,
  hugeint,  ///< 128 bits
  utinyint,
  usmallint,
  uinteger,
  ubigint,
  decimal,  ///< value x 10^scale in 128 bits; precision 1..38
  real,     ///< DOUBLE, IEEE 754 binary64
  varchar,
  date,  ///< days since 1970-01-01, proleptic Gregorian
};

struct Type {
  TypeKind kind = TypeKind::bigint;
  uint8_t precision = 0;  ///< decimals only
  uint8_t scale = 0;      ///< decimals only

  friend bool operator==(const Type&, const Type&) = default;

  static constexpr Type decimal(int precision, int scale) {
    return {TypeKind::decimal, static_cast<uint8_t>(precision), static_cast<uint8_t>(scale)};
  }
  static constexpr Type of(TypeKind kind) { return {kind, 0, 0}; }

  [[nodiscard]] bool is_integer() const {
    return kind >= TypeKind::tinyint && kind <= TypeKind::ubigint;
  }
  [[nodiscard]] bool is_exact_number() const { return is_integer() || kind == TypeKind::decimal; }
  [[nodiscard]] bool is_number() const { return is_exact_number() || kind == TypeKind::real; }
  /// True where every value fits a signed 64-bit integer (decimals up to 18 digits, dates, ...).
  [[nodiscard]] bool fits_int64() const;
  /// SQL spelling: "BIGINT", "DECIMAL(15,2)".
  [[nodiscard]] std::string to_string() const;
};

/// Least and greatest value, as the integer that a Datum holds. For all types but DOUBLE and
/// VARCHAR.
struct ValueRange {
  Int128 least;
  Int128 greatest;
  [[nodiscard]] bool contains(Int128 value) const { return value >= least && value <= greatest; }
};
ValueRange range_of(Type type);

}  // namespace grapnel::op
