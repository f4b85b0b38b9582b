#include "op/comparison.h"

namespace grapnel::op {

Function mirrored(Function function) {
  switch (function) {
    case Function::less:
      return Function::greater;
    case Function::less_equal:
      return Function::greater_equal;
    case Function::greater:
      return Function::less;
    case Function::greater_equal:
      return Function::less_equal;
    default:
      return function;
  }
}

}  // namespace grapnel::op
