// One value of any type, as the plain interpreter handles it.
#pragma once

#include <string>
#include <string_view>

#include "base/int128.h"
#include "op/type.h"

namespace grapnel::op {

/// The member in use follows from the type: `integer` for booleans, integers, decimals (scaled)
/// and dates, `real` for DOUBLE, `text` for VARCHAR. `text` is borrowed: whoever keeps a Datum
/// beyond the record that it came from copies the bytes.
struct Datum {
  bool is_null = true;
  Int128 integer = 0;
  double real = 0;
  std::string_view text;

  static Datum null() { return {}; }
  static Datum of_integer(Int128 v) {
    Datum d;
    d.is_null = false;
    d.integer = v;
    return d;
  }
  static Datum of_bool(bool v) { return of_integer(v ? 1 : 0); }
  static Datum of_real(double v) {
    Datum d;
    d.is_null = false;
    d.real = v;
    return d;
  }
  static Datum of_text(std::string_view v) {
    Datum d;
    d.is_null = false;
    d.text = v;
    return d;
  }
};

/// Text as the command line prints it: decimals with full scale, dates as YYYY-MM-DD, DOUBLE with
/// the shortest digits that read back to the same value (spelled like DuckDB: "1.0", "nan", "inf").
/// Precondition: not NULL.
std::string to_text(const Datum& value, Type type);

/// Three-way comparison of two non-null values of one type: -1, 0, 1. DOUBLE: NaN equals NaN and is
/// greater than everything else (DuckDB). VARCHAR: by bytes.
int compare(const Datum& a, const Datum& b, Type type);

/// Civil date <-> days since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
int64_t days_from_civil(int64_t year, unsigned month, unsigned day);
struct CivilDate {
  int64_t year;
  unsigned month, day;
};
CivilDate civil_from_days(int64_t days);

}  // namespace grapnel::op
