// The type that fits all values of a column seen so far.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "op/type.h"

namespace grapnel::source {

/// Order of preference: BOOLEAN, BIGINT, HUGEINT, DECIMAL, DOUBLE, DATE, VARCHAR; empty texts
/// (NULL) decide nothing, and a column of them alone is VARCHAR. As in DuckDB, except:
/// - numbers with a point whose digits fit are DECIMAL: 18 digits where that leaves two digits of
///   room before the point, else 38. Only digits that look like printed binary floating point
///   (changing scales up to more than kLongestDecimalScale) are DOUBLE.
/// - DATE is year-month-day alone; times, timestamps and other spellings are VARCHAR.
class TypeGuess {
 public:
  /// Takes one value, unquoted.
  void add(std::string_view text);
  [[nodiscard]] op::Type type() const;

  static constexpr int kLongestDecimalScale = 12;

 private:
  struct PlainNumber {
    bool has_point = false;
    int whole_digits = 0;  ///< without leading zeros
    int scale = 0;
  };
  static std::optional<PlainNumber> plain_number(std::string_view text);
  void add_number(const PlainNumber& number, std::string_view text);

  bool is_text_ = false;  ///< settled: VARCHAR
  size_t values_ = 0;     ///< not NULL
  size_t booleans_ = 0;
  size_t integers_ = 0;  ///< without a point; within 128 bits
  size_t decimals_ = 0;  ///< with a point, no exponent
  size_t reals_ = 0;     ///< with exponent, inf, nan
  size_t dates_ = 0;
  bool beyond_bigint_ = false;
  int whole_digits_ = 0;                         ///< greatest number of digits before the point
  int least_scale_ = 1000, greatest_scale_ = 0;  ///< of `decimals_`
};

/// True if a column of `type` could hold `text`; empty text (NULL) fits everything.
bool could_hold(op::Type type, std::string_view text);

}  // namespace grapnel::source
