#include "scan/pacer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "hooks/common/rates.h"
#include "hooks/scan_fixture.h"

namespace grapnel::scan {
namespace {

/// Counts the records of a file of `bytes`, all of it just written.
std::shared_ptr<const program::Job> count_job(const scan_test::Directory& directory, size_t bytes) {
  std::string content(bytes, 'x');
  for (size_t at = 4095; at < bytes; at += 4096) content[at] = '\n';
  op::Op op;
  op.aggregating = true;
  op.aggregates = {{op::AggregateKind::count_rows, nullptr, scan_test::kBigint}};
  return scan_test::make_job(scan_test::open_lines(directory.write("lines", content)),
                             std::move(op));
}

size_t rates_learnt() {
  const auto known = hooks::known_rates();
  return static_cast<size_t>(std::count_if(known.begin(), known.end(), [](const auto& rate) {
    return rate.kind.compare(0, 6, "learnt") == 0;
  }));
}

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

TEST(Pacer, NobodyRestsAfterTheLastExtent) {
  const scan_test::Directory directory;
  auto plan = scan_test::make_plan(count_job(directory, 1 << 20), hooks::find_hook("read"));
  plan.cpu_share = 1e-9;  // else until the end of days
  EXPECT_NE(scan_test::run_plan(plan).find("256 records"), std::string::npos);
}

TEST(Pacer, AScanThatRestsTeachesNothing) {
  const scan_test::Directory directory;
  setenv("XDG_CACHE_HOME", directory.path().c_str(), 1);
  auto plan = scan_test::make_plan(count_job(directory, 68 << 20), hooks::find_hook("read"));
  plan.cpu_share = 0.9;
  const size_t before = rates_learnt();
  scan_test::run_plan(plan);
  EXPECT_EQ(rates_learnt(), before);
  plan.cpu_share = 1;
  scan_test::run_plan(plan);
  EXPECT_EQ(rates_learnt(), before + 1);
}

}  // namespace
}  // namespace grapnel::scan
