#include "op/type.h"

#include <cassert>
#include <limits>

namespace grapnel::op {

namespace {

template <typename T>
constexpr ValueRange limits_of() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

}  // namespace

bool Type::fits_int64() const {
  switch (kind) {
    case TypeKind::boolean:
    case TypeKind::tinyint:
    case TypeKind::smallint:
    case TypeKind::integer:
    case TypeKind::bigint:
    case TypeKind::utinyint:
    case TypeKind::usmallint:
    case TypeKind::uinteger:
    case TypeKind::date:
      return true;
    case TypeKind::decimal:
      return precision <= 18;
    case TypeKind::hugeint:
    case TypeKind::ubigint:
    case TypeKind::real:
    case TypeKind::varchar:
      return false;
  }
  return false;
}

std::string Type::to_string() const {
  switch (kind) {
    case TypeKind::boolean:
      return "BOOLEAN";
    case TypeKind::tinyint:
      return "TINYINT";
    case TypeKind::smallint:
      return "SMALLINT";
    case TypeKind::integer:
      return "INTEGER";
    case TypeKind::bigint:
      return "BIGINT";
    case TypeKind::hugeint:
      return "HUGEINT";
    case TypeKind::utinyint:
      return "UTINYINT";
    case TypeKind::usmallint:
      return "USMALLINT";
    case TypeKind::uinteger:
      return "UINTEGER";
    case TypeKind::ubigint:
      return "UBIGINT";
    case TypeKind::decimal:
      return "DECIMAL(" + std::to_string(precision) + "," + std::to_string(scale) + ")";
    case TypeKind::real:
      return "DOUBLE";
    case TypeKind::varchar:
      return "VARCHAR";
    case TypeKind::date:
      return "DATE";
  }
  return "?";
}

ValueRange range_of(Type type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return {0, 1};
    case TypeKind::tinyint:
      return limits_of<int8_t>();
    case TypeKind::smallint:
      return limits_of<int16_t>();
    case TypeKind::integer:
      return limits_of<int32_t>();
    case TypeKind::bigint:
      return limits_of<int64_t>();
    case TypeKind::hugeint:
      return {kInt128Min, kInt128Max};
    case TypeKind::utinyint:
      return limits_of<uint8_t>();
    case TypeKind::usmallint:
      return limits_of<uint16_t>();
    case TypeKind::uinteger:
      return limits_of<uint32_t>();
    case TypeKind::ubigint:
      return limits_of<uint64_t>();
    case TypeKind::decimal: {
      const Int128 greatest = power_of_ten(type.precision) - 1;
      return {-greatest, greatest};
    }
    // DuckDB keeps the outermost values of 32 bits for infinity, which grapnel has not.
    case TypeKind::date:
      return {-Int128{std::numeric_limits<int32_t>::max()} + 1,
              Int128{std::numeric_limits<int32_t>::max()} - 1};
    case TypeKind::real:
    case TypeKind::varchar:
      break;
  }
  assert(false && "range_of needs a type that is kept as an integer");
  return {0, 0};
}

}  // namespace grapnel::op
