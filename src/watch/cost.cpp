#include "watch/cost.h"

#include <algorithm>

namespace grapnel::watch {
namespace {

uint64_t load(const gr_u64& word) { return __atomic_load_n(&word, __ATOMIC_RELAXED); }

double nanoseconds(uint64_t events, uint64_t timed_events, uint64_t timed_ns) {
  if (timed_events == 0) return 0;
  return static_cast<double>(timed_ns) / static_cast<double>(timed_events) *
         static_cast<double>(events);
}

}  // namespace

Cost Cost::of(CpuCounts cpus) {
  Cost cost;
  for (const gr_watch_cpu& cpu : cpus) {
    const uint64_t events = load(cpu.events);
    cost.events += events;
    cost.seconds += nanoseconds(events, load(cpu.timed_events), load(cpu.timed_ns)) * 1e-9;
    cost.longest_seconds =
        std::max(cost.longest_seconds, static_cast<double>(load(cpu.longest_ns)) * 1e-9);
  }
  return cost;
}

double BusiestCpu::take_seconds(CpuCounts cpus) {
  double busiest_ns = 0;
  for (size_t i = 0; i < cpus.size(); i++) {
    const Seen now{load(cpus[i].events), load(cpus[i].timed_events), load(cpus[i].timed_ns)};
    const Seen before = before_[i];
    before_[i] = now;
    const uint64_t events = now.events - before.events;
    // So few events that none of them was timed cost what the CPU's others did.
    const bool timed = now.timed_events != before.timed_events;
    const double taken_ns = timed ? nanoseconds(events, now.timed_events - before.timed_events,
                                                now.timed_ns - before.timed_ns)
                                  : nanoseconds(events, now.timed_events, now.timed_ns);
    busiest_ns = std::max(busiest_ns, taken_ns);
  }
  return busiest_ns * 1e-9;
}

}  // namespace grapnel::watch
