// Comparisons in canonical form: a constant stands on the right and has the type of the left side,
// so that the lowerings compare a column as it is stored and the constant is a plain parameter.
#include <algorithm>
#include <optional>
#include <utility>

#include "op/comparison.h"
#include "op/evaluate.h"
#include "sql/refusal.h"
#include "sql/type_rules.h"
#include "sql/typed.h"

namespace grapnel::sql {

using op::Datum;
using op::Expr;
using op::ExprPtr;
using op::Function;
using op::mirrored;
using op::Type;
using op::TypeKind;

namespace {

const Type kBoolean = Type::of(TypeKind::boolean);

bool is_constant(const ExprPtr& expr) { return expr->function == Function::constant; }

/// TRUE for every value, NULL for NULL; in a WHERE this shrinks to IS NOT NULL.
Result<ExprPtr> true_unless_null(const ExprPtr& value, uint32_t offset) {
  if (is_constant(value)) return make_boolean(true);  // NULL constants are dealt with before
  GRAPNEL_TRY(ExprPtr known, make_null_test(value, true, offset));
  return make_logic(Function::or_, {std::move(known), make_null(kBoolean)});
}

/// FALSE for every value, NULL for NULL.
Result<ExprPtr> false_unless_null(const ExprPtr& value, uint32_t offset) {
  if (is_constant(value)) return make_boolean(false);
  GRAPNEL_TRY(ExprPtr unknown, make_null_test(value, false, offset));
  return make_logic(Function::and_, {std::move(unknown), make_null(kBoolean)});
}

bool is_false_unless_null(const ExprPtr& expr, const ExprPtr& value) {
  return expr->function == Function::and_ && expr->arguments.size() == 2 &&
         expr->arguments[0]->function == Function::is_null &&
         expr->arguments[0]->arguments[0] == value && is_constant(expr->arguments[1]);
}

int scale_of(Type type) { return type.kind == TypeKind::decimal ? type.scale : 0; }

/// An exact constant between two neighbouring values of a type: floor <= constant <= ceiling.
struct Bracket {
  Int128 floor, ceiling;
};

/// `value` x 10^-from in units of 10^-to. Empty if it lies beyond 128 bits.
std::optional<Bracket> bracket(Int128 value, int from, int to) {
  if (to >= from) {
    const auto scaled = checked_multiply(value, power_of_ten(to - from));
    if (!scaled) return std::nullopt;
    return Bracket{*scaled, *scaled};
  }
  const Int128 unit = power_of_ten(from - to);
  const Int128 quotient = value / unit;
  const Int128 remainder = value % unit;
  if (remainder == 0) return Bracket{quotient, quotient};
  return remainder > 0 ? Bracket{quotient, quotient + 1} : Bracket{quotient - 1, quotient};
}

/// value f constant, both exact: the constant is brought into the value's type without loss.
Result<ExprPtr> compare_with_exact(Function function, const ExprPtr& value, const Expr& constant,
                                   uint32_t offset) {
  const Int128 number = constant.constant.integer;
  const op::ValueRange range = op::range_of(value->type);
  const auto near = bracket(number, scale_of(constant.type), scale_of(value->type));
  const bool beyond = !near ? number > 0 : near->floor > range.greatest;
  const bool below = !near ? number < 0 : near->ceiling < range.least;
  const bool between = near && near->floor != near->ceiling;
  switch (function) {
    case Function::equal:
      if (beyond || below || between) return false_unless_null(value, offset);
      break;
    case Function::not_equal:
      if (beyond || below || between) return true_unless_null(value, offset);
      break;
    case Function::less:
    case Function::less_equal:
      if (beyond) return true_unless_null(value, offset);
      if (below) return false_unless_null(value, offset);
      break;
    default:
      if (beyond) return false_unless_null(value, offset);
      if (below) return true_unless_null(value, offset);
  }
  // x < 2.5 is x < 3, x <= 2.5 is x <= 2; likewise from the other side.
  const bool up = function == Function::less || function == Function::greater_equal;
  const Int128 in_type = up ? near->ceiling : near->floor;
  if (!range.contains(in_type)) {
    // The neighbour is the first number outside: x < 128 for a TINYINT, x >= 128, ...
    const bool greater = function == Function::greater || function == Function::greater_equal;
    const bool is_true = (in_type > range.greatest) != greater;
    return is_true ? true_unless_null(value, offset) : false_unless_null(value, offset);
  }
  return make_call(function, kBoolean,
                   {value, op::make_constant(Datum::of_integer(in_type), value->type)}, offset);
}

/// What a cast to a wider exact type was made from: compared with a constant it gives the same, and
/// a column is compared as it is stored.
ExprPtr without_widening(const ExprPtr& value) {
  if (value->function != Function::cast || !value->type.is_exact_number()) return value;
  const ExprPtr& inner = value->arguments[0];
  if (!inner->type.is_exact_number()) return value;
  const int more_digits = scale_of(value->type) - scale_of(inner->type);
  if (more_digits < 0) return value;
  const op::ValueRange from = op::range_of(inner->type);
  const op::ValueRange to = op::range_of(value->type);
  const auto least = checked_multiply(from.least, power_of_ten(more_digits));
  const auto greatest = checked_multiply(from.greatest, power_of_ten(more_digits));
  const bool widens = least && greatest && to.contains(*least) && to.contains(*greatest);
  return widens ? without_widening(inner) : value;
}

/// A text literal as a constant of the other side's type.
Result<Typed> literal_as(const Typed& literal, Type type) {
  const auto value = op::parse_text(literal.expr->constant_text, type);
  if (!value) {
    return refuse(literal.offset, "'" + literal.expr->constant_text + "' is no " + type.to_string(),
                  type.kind == TypeKind::date ? "a date is written '1994-01-31'"
                                              : "compare with a value of the other side's type");
  }
  Typed typed = literal;
  typed.literal = Literal::none;
  typed.expr = op::make_constant(*value, type);
  return typed;
}

bool is_exact_or_real(const Typed& operand) { return operand.type().is_number(); }

Error not_comparable(const Typed& a, const Typed& b, uint32_t offset) {
  return refuse(offset,
                a.type().to_string() + " and " + b.type().to_string() + " cannot be compared",
                "convert one side: CAST(x AS TYPE)");
}

/// b = TRUE is b, b = FALSE is NOT b.
Result<ExprPtr> compare_with_boolean(Function function, const ExprPtr& value, const Expr& constant,
                                     uint32_t offset) {
  const bool wanted = (constant.constant.integer != 0) == (function == Function::equal);
  if (wanted) return value;
  return make_not(value, offset);
}

Result<ExprPtr> compare_numbers(Function function, const Typed& a, const Typed& b,
                                uint32_t offset) {
  const Type real = Type::of(TypeKind::real);
  Type common = real;
  if (a.type().is_exact_number() && b.type().is_exact_number()) {
    if (b.is_constant())
      return compare_with_exact(function, without_widening(a.expr), *b.expr, offset);
    common = common_exact_type(a.type(), b.type());
  }
  GRAPNEL_TRY(ExprPtr left, make_cast(a.expr, common, a.offset));
  GRAPNEL_TRY(ExprPtr right, make_cast(b.expr, common, b.offset));
  return make_call(function, kBoolean, {std::move(left), std::move(right)}, offset);
}

}  // namespace

Result<ExprPtr> make_comparison(Function function, const Typed& a, const Typed& b,
                                uint32_t offset) {
  if (a.literal == Literal::interval || b.literal == Literal::interval)
    return refuse(offset, "intervals cannot be compared", "add the interval to a date");
  if (a.is_null() || b.is_null()) return make_null(kBoolean);
  if (a.literal == Literal::text && b.type().kind != TypeKind::varchar) {
    GRAPNEL_TRY(const Typed typed, literal_as(a, b.type()));
    return make_comparison(function, typed, b, offset);
  }
  if (b.literal == Literal::text && a.type().kind != TypeKind::varchar) {
    GRAPNEL_TRY(const Typed typed, literal_as(b, a.type()));
    return make_comparison(function, a, typed, offset);
  }
  if (a.is_constant() && !b.is_constant()) return make_comparison(mirrored(function), b, a, offset);
  if (is_exact_or_real(a) && is_exact_or_real(b)) return compare_numbers(function, a, b, offset);
  if (a.type() != b.type()) return not_comparable(a, b, offset);
  const bool is_equality = function == Function::equal || function == Function::not_equal;
  if (a.type() == kBoolean && is_equality && b.is_constant() && !a.is_constant())
    return compare_with_boolean(function, a.expr, *b.expr, offset);
  return make_call(function, kBoolean, {a.expr, b.expr}, offset);
}

namespace {

/// Collects what the single comparisons of an IN came to.
struct Alternatives {
  ExprPtr value;                   ///< what is compared
  std::vector<ExprPtr> constants;  ///< for in_list
  std::vector<ExprPtr> others;     ///< conditions by themselves
  bool any_null = false;
};

Result<Alternatives> compare_with_each(const Typed& value, const std::vector<Typed>& candidates) {
  Alternatives result;
  result.value = without_widening(value.expr);
  const ExprPtr& compared = result.value;
  for (const Typed& candidate : candidates) {
    GRAPNEL_TRY(ExprPtr equal,
                make_comparison(Function::equal, value, candidate, candidate.offset));
    const bool is_plain = equal->function == Function::equal && equal->arguments[0] == compared &&
                          is_constant(equal->arguments[1]);
    if (candidate.is_null()) {
      result.any_null = true;
    } else if (is_plain) {
      result.constants.push_back(equal->arguments[1]);
    } else if (!is_false_unless_null(equal, compared)) {
      result.others.push_back(std::move(equal));
    }
  }
  const auto before = [&](const ExprPtr& a, const ExprPtr& b) {
    return op::compare(a->constant, b->constant, compared->type) < 0;
  };
  const auto same = [&](const ExprPtr& a, const ExprPtr& b) {
    return op::compare(a->constant, b->constant, compared->type) == 0;
  };
  std::sort(result.constants.begin(), result.constants.end(), before);
  result.constants.erase(std::unique(result.constants.begin(), result.constants.end(), same),
                         result.constants.end());
  return result;
}

}  // namespace

Result<ExprPtr> make_in_list(const Typed& value, const std::vector<Typed>& candidates,
                             uint32_t offset) {
  if (value.is_null()) return make_null(kBoolean);
  GRAPNEL_TRY(Alternatives found, compare_with_each(value, candidates));
  std::vector<ExprPtr> alternatives = std::move(found.others);
  if (found.constants.size() == 1) {
    GRAPNEL_TRY(ExprPtr equal,
                make_call(Function::equal, kBoolean, {found.value, found.constants[0]}, offset));
    alternatives.push_back(std::move(equal));
  } else if (!found.constants.empty()) {
    std::vector<ExprPtr> arguments = {found.value};
    arguments.insert(arguments.end(), found.constants.begin(), found.constants.end());
    GRAPNEL_TRY(ExprPtr in, make_call(Function::in_list, kBoolean, std::move(arguments), offset));
    alternatives.push_back(std::move(in));
  }
  if (found.any_null) alternatives.push_back(make_null(kBoolean));
  if (alternatives.empty()) return false_unless_null(value.expr, offset);
  return make_logic(Function::or_, std::move(alternatives));
}

namespace {

/// The pattern's text if it has no wildcard: then LIKE is a comparison.
std::optional<std::string> plain_text(std::string_view pattern, char escape) {
  std::string text;
  for (size_t i = 0; i < pattern.size(); i++) {
    if (escape != '\0' && pattern[i] == escape)
      i++;
    else if (pattern[i] == '%' || pattern[i] == '_')
      return std::nullopt;
    text += pattern[i];
  }
  return text;
}

bool ends_with_escape(std::string_view pattern, char escape) {
  if (escape == '\0') return false;
  for (size_t i = 0; i < pattern.size(); i++) {
    if (pattern[i] != escape) continue;
    if (++i == pattern.size()) return true;
  }
  return false;
}

}  // namespace

Result<ExprPtr> make_like(const Typed& value, const Typed& pattern, const Typed* escape,
                          uint32_t offset) {
  const auto is_text = [](const Typed& operand) {
    return operand.literal != Literal::interval && operand.type().kind == TypeKind::varchar;
  };
  const bool any_null = value.literal == Literal::null || pattern.literal == Literal::null ||
                        (escape != nullptr && escape->literal == Literal::null);
  if (any_null) return make_null(kBoolean);
  if (!is_text(value))
    return refuse(value.offset, "LIKE needs VARCHAR on the left",
                  "columns => '...' can declare the column as VARCHAR");
  if (!is_text(pattern) || !pattern.is_constant())
    return refuse(pattern.offset, "the pattern of LIKE must be a constant text");
  char escape_character = '\0';
  if (escape != nullptr) {
    if (!is_text(*escape) || !escape->is_constant() || escape->expr->constant_text.size() > 1)
      return refuse(escape->offset, "ESCAPE needs one ASCII character");
    if (!escape->expr->constant_text.empty()) escape_character = escape->expr->constant_text[0];
  }
  if (value.is_null() || pattern.is_null()) return make_null(kBoolean);
  const std::string& text = pattern.expr->constant_text;
  if (ends_with_escape(text, escape_character))
    return refuse(pattern.offset, "the pattern of LIKE ends with the escape character");
  if (const auto plain = plain_text(text, escape_character)) {
    return make_call(Function::equal, kBoolean,
                     {value.expr, op::make_constant(Datum::of_text(*plain), value.type())}, offset);
  }
  auto like = std::make_shared<Expr>();
  like->function = Function::like;
  like->type = kBoolean;
  like->arguments = {value.expr, pattern.expr};
  like->escape = escape_character;
  like->sql_offset = offset;
  if (!value.is_constant()) return ExprPtr(std::move(like));
  return make_boolean(op::like_matches(value.expr->constant_text, text, escape_character));
}

}  // namespace grapnel::sql
