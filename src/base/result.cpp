#include "base/result.h"

#include <cstring>

namespace grapnel {

Error Error::system(std::string what, int error_number, std::string hint) {
  Error error;
  error.kind = ErrorKind::io;
  error.system_errno = error_number;
  error.message = std::move(what);
  error.hint = std::move(hint);
  return error;
}

std::string Error::to_string() const {
  std::string text = message;
  if (system_errno != 0) {
    text += ": ";
    text += strerror(system_errno);
    if (const char* name = strerrorname_np(system_errno)) {
      text += " (";
      text += name;
      text += ")";
    }
  }
  if (!hint.empty()) {
    text += "\n  hint: ";
    text += hint;
  }
  return text;
}

}  // namespace grapnel
