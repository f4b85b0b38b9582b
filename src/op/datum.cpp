#include "op/datum.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace grapnel::op {

namespace {

std::string real_to_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[32];
  const auto scientific =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  std::string text(buffer, scientific.ptr);
  const int exponent = std::stoi(text.substr(text.find('e') + 1));
  if (exponent < -4 || exponent >= 16) return text;
  // The longest: sign, 17 digits, point, "0.000" in front.
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  text.assign(buffer, fixed.ptr);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string date_to_text(int64_t days) {
  const CivilDate date = civil_from_days(days);
  const bool before_christ = date.year <= 0;
  const long long year = before_christ ? 1 - date.year : date.year;
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%04lld-%02u-%02u%s", year, date.month, date.day,
                before_christ ? " (BC)" : "");
  return buffer;
}

template <typename T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int compare_reals(double a, double b) {
  const bool a_is_nan = std::isnan(a);
  const bool b_is_nan = std::isnan(b);
  if (a_is_nan || b_is_nan) return static_cast<int>(a_is_nan) - static_cast<int>(b_is_nan);
  return three_way(a, b);
}

}  // namespace

std::string to_text(const Datum& value, Type type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return value.integer != 0 ? "true" : "false";
    case TypeKind::decimal:
      return grapnel::to_string(value.integer, type.scale);
    case TypeKind::real:
      return real_to_text(value.real);
    case TypeKind::varchar:
      return std::string(value.text);
    case TypeKind::date:
      return date_to_text(static_cast<int64_t>(value.integer));
    default:
      return grapnel::to_string(value.integer);
  }
}

int compare(const Datum& a, const Datum& b, Type type) {
  if (type.kind == TypeKind::varchar) return three_way(a.text.compare(b.text), 0);
  if (type.kind == TypeKind::real) return compare_reals(a.real, b.real);
  return three_way(a.integer, b.integer);
}

int64_t days_from_civil(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<int64_t>(day_of_era) - 719468;
}

CivilDate civil_from_days(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;  // March is 0
  const unsigned day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const int64_t year = static_cast<int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0);
  return {year, month, day};
}

}  // namespace grapnel::op
