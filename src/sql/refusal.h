// How src/sql makes its errors. Internal.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace grapnel::sql {

/// SQL that is wrong or not supported, at byte `offset` of the text.
inline Error refuse(uint32_t offset, std::string message, std::string hint = {}) {
  Error error;
  error.kind = ErrorKind::refused;
  error.message = std::move(message);
  error.hint = std::move(hint);
  error.sql_offset = offset;
  return error;
}

}  // namespace grapnel::sql
