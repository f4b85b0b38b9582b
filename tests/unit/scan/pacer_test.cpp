#include "scan/pacer.h"

#include <gtest/gtest.h>

namespace grapnel::scan {
namespace {

void use_cpu(double seconds) {
  const double end = hooks::thread_cpu_seconds() + seconds;
  while (hooks::thread_cpu_seconds() < end) {
  }
}

TEST(Pacer, RestsUntilTheShareIsKept) {
  const double cpu = hooks::thread_cpu_seconds();
  const double wall = hooks::wall_clock_seconds();
  const CancelToken cancel;
  const Pacer pacer(0.25);
  for (int i = 0; i < 3; i++) {
    use_cpu(0.004);
    pacer.rest(cancel);
  }
  const double used = hooks::thread_cpu_seconds() - cpu;
  const double elapsed = hooks::wall_clock_seconds() - wall;
  // What the last naps themselves took of the CPU comes after the reckoning.
  EXPECT_LE(used, 0.25 * elapsed * 1.2 + 0.001);
}

TEST(Pacer, NobodyRestsWhoMayUseAllOrIsCancelled) {
  CancelToken cancel;
  cancel.cancel();
  const Pacer slow(1e-9);
  use_cpu(0.001);
  slow.rest(cancel);  // else until the end of days
  const Pacer all(1);
  use_cpu(0.001);
  all.rest(CancelToken());
}

}  // namespace
}  // namespace grapnel::scan
