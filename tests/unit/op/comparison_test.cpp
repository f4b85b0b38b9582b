#include "op/comparison.h"

#include <gtest/gtest.h>

namespace grapnel::op {
namespace {

bool holds(Function function, int a, int b) {
  switch (function) {
    case Function::equal:
      return a == b;
    case Function::not_equal:
      return a != b;
    case Function::less:
      return a < b;
    case Function::less_equal:
      return a <= b;
    case Function::greater:
      return a > b;
    default:
      return a >= b;
  }
}

TEST(Comparison, MirroredHoldsWithSidesExchanged) {
  for (const Function function : {Function::equal, Function::not_equal, Function::less,
                                  Function::less_equal, Function::greater, Function::greater_equal})
    for (const int a : {1, 2, 3})
      EXPECT_EQ(holds(function, a, 2), holds(mirrored(function), 2, a))
          << static_cast<int>(function) << " " << a;
}

TEST(Comparison, MirroredLeavesOtherFunctions) {
  for (const Function function : {Function::add, Function::like, Function::in_list})
    EXPECT_EQ(mirrored(function), function);
}

}  // namespace
}  // namespace grapnel::op
