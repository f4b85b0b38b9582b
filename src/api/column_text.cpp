#include <charconv>
#include <cstring>
#include <limits>

#include "base/int128.h"
#include "grapnel/grapnel.h"
#include "op/datum.h"

namespace grapnel::api {
namespace {

template <typename Value>
Value value_at(const void* buffer, int64_t index) {
  Value value;
  std::memcpy(&value, static_cast<const char*>(buffer) + index * int64_t{sizeof(Value)},
              sizeof(Value));
  return value;
}

bool bit_at(const void* buffer, int64_t index) {
  const auto byte = static_cast<const uint8_t*>(buffer)[index / 8];
  return (byte >> (index % 8) & 1) != 0;
}

template <typename Integer>
void append_integer(Integer value, std::string& out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

/// Decimals of up to 18 digits, nearly all there are, without 128-bit division.
void append_small_decimal(int64_t value, int scale, std::string& out) {
  uint64_t magnitude = value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  char text[48];
  char* const end = text + sizeof text;
  char* begin = end;
  for (int digit = 0; digit <= scale || magnitude != 0; digit++) {
    if (digit == scale && scale > 0) *--begin = '.';
    *--begin = static_cast<char>('0' + magnitude % 10);
    magnitude /= 10;
  }
  if (value < 0) *--begin = '-';
  out.append(begin, end);
}

void append_decimal(Int128 value, int scale, std::string& out) {
  const bool small =
      value >= std::numeric_limits<int64_t>::min() && value <= std::numeric_limits<int64_t>::max();
  if (small) {
    append_small_decimal(static_cast<int64_t>(value), scale, out);
  } else {
    out += grapnel::to_string(value, scale);
  }
}

/// YYYY-MM-DD; years beyond four digits are left to the general form.
void append_date(int64_t days, std::string& out) {
  const op::CivilDate date = op::civil_from_days(days);
  if (date.year < 1 || date.year > 9999) {
    out += op::to_text(op::Datum::of_integer(days), op::Type::of(op::TypeKind::date));
    return;
  }
  const auto digit = [](uint64_t value) { return static_cast<char>('0' + value % 10); };
  const auto year = static_cast<uint64_t>(date.year);
  const char text[] = {digit(year / 1000),
                       digit(year / 100),
                       digit(year / 10),
                       digit(year),
                       '-',
                       digit(date.month / 10),
                       digit(date.month),
                       '-',
                       digit(date.day / 10),
                       digit(date.day)};
  out.append(text, sizeof text);
}

/// Scale out of "d:15,2" or "d:15,2,128"; none if it is something else.
std::optional<uint8_t> decimal128_scale(std::string_view format) {
  const size_t comma = format.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  std::string_view rest = format.substr(comma + 1);
  if (const size_t width = rest.find(','); width != std::string_view::npos) {
    if (rest.substr(width + 1) != "128") return std::nullopt;
    rest = rest.substr(0, width);
  }
  uint8_t scale = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), scale);
  if (parsed.ec != std::errc{} || parsed.ptr != rest.data() + rest.size() || scale > 38) {
    return std::nullopt;
  }
  return scale;
}

}  // namespace

ColumnText::ColumnText(const ArrowSchema& schema, const ArrowArray& values) : values_(&values) {
  struct Row {
    const char* format;
    Kind kind;
    uint8_t width_bytes;
  };
  static constexpr Row kRows[] = {
      {"b", Kind::boolean, 0},
      {"c", Kind::signed_integer, 1},
      {"s", Kind::signed_integer, 2},
      {"i", Kind::signed_integer, 4},
      {"l", Kind::signed_integer, 8},
      {"C", Kind::unsigned_integer, 1},
      {"S", Kind::unsigned_integer, 2},
      {"I", Kind::unsigned_integer, 4},
      {"L", Kind::unsigned_integer, 8},
      {"g", Kind::real, 8},
      {"u", Kind::text, 4},
      {"tdD", Kind::date, 4},
  };
  const std::string_view format = schema.format;
  for (const Row& row : kRows) {
    if (format != row.format) continue;
    kind_ = row.kind;
    width_bytes_ = row.width_bytes;
  }
  const auto scale = format.substr(0, 2) == "d:" ? decimal128_scale(format) : std::nullopt;
  if (scale) {
    kind_ = Kind::decimal;
    width_bytes_ = 16;
    scale_ = *scale;
  }
}

bool ColumnText::is_number() const {
  return kind_ == Kind::signed_integer || kind_ == Kind::unsigned_integer ||
         kind_ == Kind::decimal || kind_ == Kind::real;
}

bool ColumnText::is_null(int64_t row) const {
  const void* validity = values_->buffers[0];
  return validity != nullptr && !bit_at(validity, values_->offset + row);
}

void ColumnText::append(int64_t row, std::string& out) const {
  const int64_t index = values_->offset + row;
  const void* buffer = values_->buffers[1];
  switch (kind_) {
    case Kind::unsupported:
      return;
    case Kind::boolean:
      out += bit_at(buffer, index) ? "true" : "false";
      return;
    case Kind::signed_integer:
      switch (width_bytes_) {
        case 1:
          return append_integer(value_at<int8_t>(buffer, index), out);
        case 2:
          return append_integer(value_at<int16_t>(buffer, index), out);
        case 4:
          return append_integer(value_at<int32_t>(buffer, index), out);
        default:
          return append_integer(value_at<int64_t>(buffer, index), out);
      }
    case Kind::unsigned_integer:
      switch (width_bytes_) {
        case 1:
          return append_integer(value_at<uint8_t>(buffer, index), out);
        case 2:
          return append_integer(value_at<uint16_t>(buffer, index), out);
        case 4:
          return append_integer(value_at<uint32_t>(buffer, index), out);
        default:
          return append_integer(value_at<uint64_t>(buffer, index), out);
      }
    case Kind::decimal:
      return append_decimal(value_at<Int128>(buffer, index), scale_, out);
    case Kind::real:
      out += op::to_text(op::Datum::of_real(value_at<double>(buffer, index)),
                         op::Type::of(op::TypeKind::real));
      return;
    case Kind::date:
      return append_date(value_at<int32_t>(buffer, index), out);
    case Kind::text:
      out += text(row);
      return;
  }
}

std::string_view ColumnText::text(int64_t row) const {
  const int64_t index = values_->offset + row;
  const auto begin = value_at<int32_t>(values_->buffers[1], index);
  const auto end = value_at<int32_t>(values_->buffers[1], index + 1);
  return {static_cast<const char*>(values_->buffers[2]) + begin, static_cast<size_t>(end - begin)};
}

}  // namespace grapnel::api
