#include "source/fixed.h"

#include <cstring>

#include "base/limits.h"

namespace grapnel::source {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fixed records are read in place");

template <typename T>
T read_as(const char* bytes) {
  T value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

Int128 read_signed(const char* bytes, uint32_t width) {
  switch (width) {
    case 1:
      return read_as<int8_t>(bytes);
    case 2:
      return read_as<int16_t>(bytes);
    case 4:
      return read_as<int32_t>(bytes);
    case 8:
      return read_as<int64_t>(bytes);
    default:
      return read_as<Int128>(bytes);
  }
}

Int128 read_unsigned(const char* bytes, uint32_t width) {
  switch (width) {
    case 1:
      return read_as<uint8_t>(bytes);
    case 2:
      return read_as<uint16_t>(bytes);
    case 4:
      return read_as<uint32_t>(bytes);
    default:
      return read_as<uint64_t>(bytes);
  }
}

}  // namespace

uint32_t fixed_width(op::Type type) {
  switch (type.kind) {
    case op::TypeKind::boolean:
    case op::TypeKind::tinyint:
    case op::TypeKind::utinyint:
      return 1;
    case op::TypeKind::smallint:
    case op::TypeKind::usmallint:
      return 2;
    case op::TypeKind::integer:
    case op::TypeKind::uinteger:
    case op::TypeKind::date:
      return 4;
    case op::TypeKind::bigint:
    case op::TypeKind::ubigint:
    case op::TypeKind::real:
      return 8;
    case op::TypeKind::hugeint:
      return 16;
    case op::TypeKind::decimal:
      return type.precision <= 4 ? 2 : type.precision <= 9 ? 4 : type.precision <= 18 ? 8 : 16;
    case op::TypeKind::varchar:
      return 0;
  }
  return 0;
}

Status lay_out_fixed(Layout& layout) {
  layout.field_offsets.clear();
  layout.record_bytes = 0;
  for (const Column& column : layout.columns) {
    const uint32_t width = fixed_width(column.type);
    if (width == 0) {
      return Error{ErrorKind::usage,
                   "column " + column.name + ": " + column.type.to_string() +
                       " has no fixed size, so it cannot stand in a fixed record",
                   "declare numbers, DATE or BOOLEAN; for text use csv(...) or lines(...)"};
    }
    layout.field_offsets.push_back(layout.record_bytes);
    layout.record_bytes += width;
  }
  return ok_status();
}

std::optional<op::Datum> read_fixed(const char* bytes, op::Type type) {
  const uint32_t width = fixed_width(type);
  switch (type.kind) {
    case op::TypeKind::boolean:
      return op::Datum::of_bool(*bytes != 0);
    case op::TypeKind::real:
      return op::Datum::of_real(read_as<double>(bytes));
    case op::TypeKind::utinyint:
    case op::TypeKind::usmallint:
    case op::TypeKind::uinteger:
    case op::TypeKind::ubigint:
      return op::Datum::of_integer(read_unsigned(bytes, width));
    case op::TypeKind::decimal: {
      const Int128 value = read_signed(bytes, width);
      const Int128 bound = power_of_ten(type.precision);
      if (value <= -bound || value >= bound) return std::nullopt;
      return op::Datum::of_integer(value);
    }
    case op::TypeKind::varchar:
      return std::nullopt;
    default:
      return op::Datum::of_integer(read_signed(bytes, width));
  }
}

}  // namespace grapnel::source
