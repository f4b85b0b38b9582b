#include "api/error.h"

#include "sql/caret.h"

namespace grapnel::api {
namespace {

grapnel::Error to_internal(const Error& error) {
  grapnel::Error same;
  same.kind = static_cast<grapnel::ErrorKind>(error.kind);
  same.message = error.message;
  same.hint = error.hint;
  same.system_errno = error.system_errno;
  same.sql_offset = error.sql_offset;
  return same;
}

static_assert(static_cast<int>(ErrorKind::internal) ==
                  static_cast<int>(grapnel::ErrorKind::internal),
              "both enumerations list the same kinds in the same order");

}  // namespace

Error to_public(const grapnel::Error& error) {
  Error same;
  same.kind = static_cast<ErrorKind>(error.kind);
  same.message = error.message;
  same.hint = error.hint;
  same.system_errno = error.system_errno;
  same.sql_offset = error.sql_offset;
  return same;
}

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::refused:
      return "refused";
    case ErrorKind::data:
      return "data";
    case ErrorKind::limit:
      return "limit";
    case ErrorKind::io:
      return "io";
    case ErrorKind::permission:
      return "permission";
    case ErrorKind::changed:
      return "changed";
    case ErrorKind::hook:
      return "hook";
    case ErrorKind::cancelled:
      return "cancelled";
    case ErrorKind::network:
      return "network";
    case ErrorKind::internal:
      break;
  }
  return "internal";
}

std::string Error::to_string() const { return to_internal(*this).to_string(); }

std::string Error::to_string(std::string_view sql) const {
  if (!sql_offset || sql.empty()) return to_string();
  std::string text = sql::describe(to_internal(*this), sql);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace grapnel::api
