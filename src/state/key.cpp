#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include "state/partial.h"

namespace grapnel::state {

namespace {

template <typename T>
void append_bytes(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);  // x86-64 is little endian
  out.append(bytes, sizeof bytes);
}

template <typename T>
T take_bytes(std::string_view encoded, size_t* position) {
  T value;
  assert(*position + sizeof value <= encoded.size());
  std::memcpy(&value, encoded.data() + *position, sizeof value);
  *position += sizeof value;
  return value;
}

double canonical(double value) {
  if (std::isnan(value)) return std::numeric_limits<double>::quiet_NaN();
  return value == 0 ? 0.0 : value;
}

}  // namespace

void encode_key(std::string& out, const op::Datum& value, op::Type type) {
  out.push_back(value.is_null ? '\1' : '\0');
  if (value.is_null) return;
  if (type.kind == op::TypeKind::varchar) {
    append_bytes(out, static_cast<uint32_t>(value.text.size()));  // a record is smaller than 4 GiB
    out.append(value.text);
  } else if (type.kind == op::TypeKind::real) {
    append_bytes(out, canonical(value.real));
  } else if (type.fits_int64()) {
    append_bytes(out, static_cast<int64_t>(value.integer));
  } else {
    append_bytes(out, value.integer);
  }
}

op::Datum decode_key(std::string_view encoded, size_t* position, op::Type type) {
  if (encoded[(*position)++] != '\0') return op::Datum::null();
  if (type.kind == op::TypeKind::varchar) {
    const auto size = take_bytes<uint32_t>(encoded, position);
    const std::string_view text = encoded.substr(*position, size);
    *position += size;
    return op::Datum::of_text(text);
  }
  if (type.kind == op::TypeKind::real)
    return op::Datum::of_real(take_bytes<double>(encoded, position));
  if (type.fits_int64()) return op::Datum::of_integer(take_bytes<int64_t>(encoded, position));
  return op::Datum::of_integer(take_bytes<Int128>(encoded, position));
}

}  // namespace grapnel::state
