#include "source/exact_text.h"

namespace grapnel::source {

bool keeps_all_digits(std::string_view text, op::Type type) {
  if (!type.is_exact_number()) return true;
  const size_t scale = type.kind == op::TypeKind::decimal ? type.scale : 0;
  bool after_point = false;
  size_t fraction_digits = 0;
  size_t needed_scale = 0;  // up to the last digit that is not 0
  for (const char byte : text) {
    if (byte == '.') {
      if (after_point) return false;
      after_point = true;
    } else if (byte >= '0' && byte <= '9') {
      if (!after_point) continue;
      ++fraction_digits;
      if (byte != '0') needed_scale = fraction_digits;
    } else if (byte != ' ' && byte != '-' && byte != '+' && (byte < '\t' || byte > '\r')) {
      return false;
    }
  }
  return needed_scale <= scale;
}

}  // namespace grapnel::source
