#include "watch/cost.h"

#include <gtest/gtest.h>

#include <vector>

namespace grapnel::watch {
namespace {

/// `events` more on this CPU, one of 32 of them timed.
void run(std::vector<gr_watch_cpu>& cpus, size_t cpu, uint64_t events, uint64_t event_ns) {
  cpus[cpu].events += events;
  cpus[cpu].timed_events += events / GR_WATCH_TIMED_EVENTS;
  cpus[cpu].timed_ns += events / GR_WATCH_TIMED_EVENTS * event_ns;
}

CpuCounts all(const std::vector<gr_watch_cpu>& cpus) { return CpuCounts(cpus); }

TEST(Cost, BusiestFollowsAReaderToAnotherCpu) {
  std::vector<gr_watch_cpu> cpus(GR_WATCH_CPUS);
  BusiestCpu busiest;
  run(cpus, 0, 32000, 1000);
  EXPECT_DOUBLE_EQ(busiest.take_seconds(all(cpus)), 0.032);
  run(cpus, 1, 16000, 1000);  // all of it is less than what CPU 0 has had
  EXPECT_DOUBLE_EQ(busiest.take_seconds(all(cpus)), 0.016);
  EXPECT_DOUBLE_EQ(busiest.take_seconds(all(cpus)), 0);
}

TEST(Cost, BusiestIsOfEventsSinceTheLastLook) {
  std::vector<gr_watch_cpu> cpus(GR_WATCH_CPUS);
  BusiestCpu busiest;
  run(cpus, 3, 3200, 1000);
  busiest.take_seconds(all(cpus));
  run(cpus, 3, 3200, 4000);  // dearer than those before
  EXPECT_DOUBLE_EQ(busiest.take_seconds(all(cpus)), 0.0128);
  cpus[3].events += 10;  // none of them timed: as dear as all before, which is 2.5 us
  EXPECT_DOUBLE_EQ(busiest.take_seconds(all(cpus)), 25e-6);
}

TEST(Cost, SumsAllCpus) {
  std::vector<gr_watch_cpu> cpus(GR_WATCH_CPUS);
  run(cpus, 0, 3200, 1000);
  run(cpus, 1, 3200, 2000);
  cpus[1].longest_ns = 5000;
  const Cost cost = Cost::of(all(cpus));
  EXPECT_EQ(cost.events, 6400U);
  EXPECT_DOUBLE_EQ(cost.seconds, 0.0096);
  EXPECT_DOUBLE_EQ(cost.longest_seconds, 5e-6);
}

}  // namespace
}  // namespace grapnel::watch
