// INTERVAL constants of days, weeks, months and years: what can be added to a DATE.
#include <charconv>
#include <optional>

#include "sql/convert.h"
#include "sql/names.h"

namespace grapnel::sql {

namespace {

struct Unit {
  std::string_view name;
  int32_t months, days;
};
constexpr Unit kUnits[] = {{"day", 0, 1},   {"d", 0, 1},       {"week", 0, 7},    {"w", 0, 7},
                           {"month", 1, 0}, {"mon", 1, 0},     {"quarter", 3, 0}, {"year", 12, 0},
                           {"y", 12, 0},    {"decade", 120, 0}};

// PostgreSQL's mask has one bit for each field of a date (utils/datetime.h: MONTH, YEAR, DAY).
constexpr int32_t kMonthMask = 1 << 1;
constexpr int32_t kYearMask = 1 << 2;
constexpr int32_t kDayMask = 1 << 3;

const Unit* unit_named(std::string_view name) {
  std::string word = lower(name);
  if (word.size() > 2 && word.back() == 's') word.pop_back();
  for (const Unit& unit : kUnits) {
    if (unit.name == word) return &unit;
  }
  return nullptr;
}

const Unit* unit_of_mask(int32_t mask) {
  switch (mask) {
    case kMonthMask:
      return unit_named("month");
    case kYearMask:
      return unit_named("year");
    case kDayMask:
      return unit_named("day");
    default:
      return nullptr;
  }
}

bool add(Interval& interval, int32_t number, const Unit& unit) {
  int32_t months = 0;
  int32_t days = 0;
  return !__builtin_mul_overflow(number, unit.months, &months) &&
         !__builtin_mul_overflow(number, unit.days, &days) &&
         !__builtin_add_overflow(interval.months, months, &interval.months) &&
         !__builtin_add_overflow(interval.days, days, &interval.days);
}

std::string_view take_word(std::string_view& text) {
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  size_t size = 0;
  const auto is_number = [](char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+'; };
  const bool number = !text.empty() && is_number(text[0]);
  while (size < text.size() && text[size] != ' ' && is_number(text[size]) == number) size++;
  const std::string_view word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

std::optional<int32_t> number_of(std::string_view word) {
  if (word.starts_with('+')) word.remove_prefix(1);
  int32_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<Interval> parse_interval(std::string_view text, int32_t unit_mask) {
  Interval interval;
  if (unit_mask != 0) {
    const Unit* unit = unit_of_mask(unit_mask);
    const auto number = number_of(take_word(text));
    if (unit == nullptr || !number || !take_word(text).empty()) return std::nullopt;
    return add(interval, *number, *unit) ? std::optional(interval) : std::nullopt;
  }
  bool any = false;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
    const auto number = number_of(word);
    const Unit* unit = unit_named(take_word(text));
    if (!number || unit == nullptr || !add(interval, *number, *unit)) return std::nullopt;
    any = true;
  }
  return any ? std::optional(interval) : std::nullopt;
}

}  // namespace grapnel::sql
