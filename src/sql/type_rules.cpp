#include "sql/type_rules.h"

#include <algorithm>

#include "base/int128.h"
#include "op/evaluate.h"

namespace grapnel::sql {

namespace {

using op::Function;
using op::Type;
using op::TypeKind;

constexpr int kMostDigits = 38;
constexpr int kDigitsOf64Bits = 18;

bool is_unsigned(Type type) {
  return type.kind >= TypeKind::utinyint && type.kind <= TypeKind::ubigint;
}

/// 8, 16, 32, 64 or 128.
int bits_of(Type type) {
  switch (type.kind) {
    case TypeKind::tinyint:
    case TypeKind::utinyint:
      return 8;
    case TypeKind::smallint:
    case TypeKind::usmallint:
      return 16;
    case TypeKind::integer:
    case TypeKind::uinteger:
      return 32;
    case TypeKind::bigint:
    case TypeKind::ubigint:
      return 64;
    default:
      return 128;
  }
}

Type signed_type_of(int bits) {
  return Type::of(bits <= 16   ? TypeKind::smallint
                  : bits <= 32 ? TypeKind::integer
                  : bits <= 64 ? TypeKind::bigint
                               : TypeKind::hugeint);
}

int whole_digits(Type decimal) { return decimal.precision - decimal.scale; }

std::optional<DecimalTypes> product_types(Type a, Type b) {
  const int scale = a.scale + b.scale;
  if (scale > kMostDigits) return std::nullopt;
  int width = a.precision + b.precision;
  // Operands of 64 bits give a product of 64 bits, checked, as long as that leaves whole digits.
  if (width > kDigitsOf64Bits && std::max(a.precision, b.precision) <= kDigitsOf64Bits &&
      scale < kDigitsOf64Bits)
    width = kDigitsOf64Bits;
  return DecimalTypes{a, b, Type::decimal(std::min(width, kMostDigits), scale)};
}

}  // namespace

Type integer_result_type(Type a, Type b) {
  if (is_unsigned(a) == is_unsigned(b)) return bits_of(a) >= bits_of(b) ? a : b;
  const Type with_sign = is_unsigned(a) ? b : a;
  const Type without_sign = is_unsigned(a) ? a : b;
  if (bits_of(with_sign) > bits_of(without_sign)) return with_sign;
  return Type::of(bits_of(without_sign) == 64 ? TypeKind::hugeint : TypeKind::bigint);
}

Type as_decimal(Type exact) {
  if (exact.kind == TypeKind::decimal) return exact;
  switch (exact.kind) {
    case TypeKind::tinyint:
    case TypeKind::utinyint:
      return Type::decimal(3, 0);
    case TypeKind::smallint:
    case TypeKind::usmallint:
      return Type::decimal(5, 0);
    case TypeKind::integer:
    case TypeKind::uinteger:
      return Type::decimal(10, 0);
    case TypeKind::bigint:
      return Type::decimal(19, 0);
    case TypeKind::ubigint:
      return Type::decimal(20, 0);
    default:
      return Type::decimal(kMostDigits, 0);
  }
}

std::optional<DecimalTypes> decimal_types(Function function, Type left, Type right) {
  const Type a = as_decimal(left);
  const Type b = as_decimal(right);
  if (function == Function::multiply) return product_types(a, b);
  const int scale = std::max(a.scale, b.scale);
  int width = std::max(whole_digits(a), whole_digits(b)) + scale;
  if (function == Function::modulo) {
    if (width > kMostDigits) return std::nullopt;
  } else {
    width++;  // the carry
  }
  const Type common = Type::decimal(std::min(width, kMostDigits), scale);
  return DecimalTypes{common, common, common};
}

Type common_exact_type(Type a, Type b) {
  if (a.is_integer() && b.is_integer()) {
    if (is_unsigned(a) == is_unsigned(b)) return bits_of(a) >= bits_of(b) ? a : b;
    const int with_sign = bits_of(is_unsigned(a) ? b : a);
    const int without_sign = bits_of(is_unsigned(a) ? a : b);
    return signed_type_of(std::max(with_sign, without_sign * 2));
  }
  const Type x = as_decimal(a);
  const Type y = as_decimal(b);
  const int scale = std::max(x.scale, y.scale);
  const int width = std::max(whole_digits(x), whole_digits(y)) + scale;
  return Type::decimal(std::min(width, kMostDigits), scale);
}

std::optional<NumberLiteral> number_literal(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  const size_t point = digits.find('.');
  const bool has_exponent = digits.find_first_of("eE") != std::string_view::npos;
  const size_t digit_count = digits.size() - 1;  // if there is a point
  Type type = Type::of(TypeKind::real);
  if (!has_exponent && point == std::string_view::npos) {
    const auto value = parse_int128(text);
    if (!value) return std::nullopt;
    for (const TypeKind kind : {TypeKind::integer, TypeKind::bigint, TypeKind::hugeint}) {
      type = Type::of(kind);
      if (op::range_of(type).contains(*value)) break;
    }
    return NumberLiteral{type, op::Datum::of_integer(*value)};
  }
  if (!has_exponent && digit_count >= 1 && digit_count <= static_cast<size_t>(kMostDigits))
    type = Type::decimal(static_cast<int>(digit_count), static_cast<int>(digit_count - point));
  const auto value = op::parse_text(text, type);
  if (!value) return std::nullopt;
  return NumberLiteral{type, *value};
}

}  // namespace grapnel::sql
