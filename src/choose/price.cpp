#include "choose/price.h"

#include <algorithm>
#include <cmath>

#include "hooks/common/extent_size.h"
#include "hooks/common/rates.h"

namespace grapnel::choose {
namespace {

using hooks::Residency;

// A record that a kernel hook selects is sent to user space and done there.
constexpr double kSelectedNsPerByte = 1.0;
// What using the device for a while is held to cost beside the time that it takes: where the CPU is
// the bottleneck anyway, the device is left to others.
constexpr double kDeviceUse = 0.1;

double data_bytes(const program::Job& job) {
  const source::Source& source = *job.source;
  return static_cast<double>(source.data_end - std::min(source.data_begin, source.data_end));
}

hooks::Extent whole_file(const program::Job& job) {
  hooks::Extent extent;
  extent.begin = std::min(job.source->data_begin, job.source->data_end);
  extent.end = job.source->data_end;
  return extent;
}

/// Of the whole file; wall_seconds are those of the device, or of the link.
hooks::Cost with_program(const hooks::Hook& hook, Residency residency,
                         const PriceContext& context) {
  hooks::Cost cost = hook.cost(whole_file(context.job), residency, context.job);
  double program_ns = 0;
  if (!hook.in_kernel()) {
    program_ns = context.program_ns_per_byte;
  } else {
    // Their rates are those with a usual op.
    const double usual_ns = hooks::rate(hook.name(), Residency::cached, 0).cpu_ns_per_byte;
    program_ns = (hooks::op_factor(hook.name(), context.op_shape, context.op_class) - 1) * usual_ns;
    if (!context.job.op->aggregating) {
      program_ns += context.selectivity * (kSelectedNsPerByte + context.program_ns_per_byte);
    }
  }
  const double bytes = data_bytes(context.job);
  cost.cpu_seconds += program_ns * 1e-9 * bytes;
  cost.cpu_seconds += hooks::extent_seconds(hook.name()) *
                      std::ceil(bytes / static_cast<double>(hooks::kLargestExtentBytes));
  if (cost.device_bytes == 0 && cost.link_bytes == 0) cost.wall_seconds = 0;
  return cost;
}

// Threads share the device, but each has a CPU.
double scan_seconds(const hooks::Cost& cost, const PriceContext& context) {
  const bool one_extent = data_bytes(context.job) <= static_cast<double>(hooks::kOneExtentBytes);
  const double threads = one_extent ? std::min(context.threads, 1.0) : context.threads;
  return std::max(cost.wall_seconds, cost.cpu_seconds / threads);
}

hooks::Cost mix(const hooks::Cost& cached, const hooks::Cost& uncached, double cached_share) {
  const auto between = [cached_share](double a, double b) {
    return cached_share * a + (1 - cached_share) * b;
  };
  hooks::Cost cost;
  cost.wall_seconds = between(cached.wall_seconds, uncached.wall_seconds);
  cost.cpu_seconds = between(cached.cpu_seconds, uncached.cpu_seconds);
  cost.device_bytes = static_cast<uint64_t>(between(static_cast<double>(cached.device_bytes),
                                                    static_cast<double>(uncached.device_bytes)));
  cost.bytes_copied = cached.bytes_copied;
  cost.link_bytes = cached.link_bytes;
  return cost;
}

}  // namespace

HookPrice price_hook(const hooks::Hook& hook, const PriceContext& context, double cached_share) {
  const double bytes = std::max(data_bytes(context.job), 1.0);
  const double setup_seconds = hook.setup_seconds();
  const auto per_byte = [bytes](double seconds) { return seconds * 1e9 / bytes; };
  // Makes of the device's time the scan's; returns the price.
  const auto finish = [&](hooks::Cost& cost, double& scan_ns) {
    const double device_seconds = cost.wall_seconds;
    const double scan = scan_seconds(cost, context);
    scan_ns = per_byte(scan);
    cost.wall_seconds = scan + setup_seconds;
    return per_byte(cost.wall_seconds + kDeviceUse * device_seconds);
  };
  HookPrice all;
  all.if_cached = with_program(hook, Residency::cached, context);
  all.if_uncached = with_program(hook, Residency::uncached, context);
  all.price.cached_ns = finish(all.if_cached, all.price.scan_cached_ns);
  all.price.uncached_ns = finish(all.if_uncached, all.price.scan_uncached_ns);
  all.now = mix(all.if_cached, all.if_uncached, cached_share);
  return all;
}

}  // namespace grapnel::choose
