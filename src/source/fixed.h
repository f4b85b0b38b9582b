// Fixed records: packed little-endian values in declared order.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "source/source.h"

namespace grapnel::source {

/// Bytes of a value of `type` in a fixed record: BOOLEAN 1 (zero is false), integers by width, DATE
/// 4 (signed days since 1970-01-01), DOUBLE 8, DECIMAL by precision 2 (to 4 digits), 4 (to 9), 8
/// (to 18) or 16, scaled integers all. 0 for VARCHAR, which has no fixed size.
uint32_t fixed_width(op::Type type);

/// Sets record_bytes and field_offsets from the columns. ErrorKind::usage for a column that has no
/// fixed size, ErrorKind::limit for too many.
Status lay_out_fixed(Layout& layout);

/// Reads the value at `bytes` (fixed_width(type) of them). Empty for a decimal with more digits
/// than its precision.
std::optional<op::Datum> read_fixed(const char* bytes, op::Type type);

}  // namespace grapnel::source
