#include "choose/price.h"

#include <algorithm>
#include <cmath>

#include "hooks/common/rates.h"

namespace grapnel::choose {
namespace {

using hooks::Residency;

// A record that a kernel hook selects is sent to user space and done there.
constexpr double kSelectedNsPerByte = 1.0;
// What using the device for a while is held to cost beside the time that it takes: where the CPU is
// the bottleneck anyway, the device is left to others.
constexpr double kDeviceUse = 0.1;

// What the scan cuts large files into, and what it leaves to one thread (scan/extents.cpp).
constexpr double kExtentBytes = 8 << 20;
constexpr double kOneExtentBytes = 4 << 20;

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
  cost.cpu_seconds += hooks::extent_cost(hook.name()).seconds * std::ceil(bytes / kExtentBytes);
  return cost;
}

// Threads share the device, but each has a CPU.
double wall_seconds(const hooks::Cost& cost, const PriceContext& context) {
  const double device = cost.device_bytes > 0 ? cost.wall_seconds : 0;
  const bool one_extent = data_bytes(context.job) <= kOneExtentBytes;
  return std::max(
      device, cost.cpu_seconds / (one_extent ? std::min(context.threads, 1.0) : context.threads));
}

double price_at(const hooks::Hook& hook, Residency residency, const PriceContext& context) {
  const double bytes = std::max(data_bytes(context.job), 1.0);
  const hooks::Cost cost = with_program(hook, residency, context);
  const double device = cost.device_bytes > 0 ? cost.wall_seconds : 0;
  const double seconds = wall_seconds(cost, context) + kDeviceUse * device + hook.setup_seconds();
  return seconds * 1e9 / bytes;
}

}  // namespace

Price price_of(const hooks::Hook& hook, const PriceContext& context) {
  return {price_at(hook, Residency::cached, context), price_at(hook, Residency::uncached, context)};
}

hooks::Cost cost_of_file(const hooks::Hook& hook, const PriceContext& context,
                         double cached_share) {
  const hooks::Cost cached = with_program(hook, Residency::cached, context);
  const hooks::Cost uncached = with_program(hook, Residency::uncached, context);
  const auto mix = [cached_share](double a, double b) {
    return cached_share * a + (1 - cached_share) * b;
  };
  hooks::Cost cost;
  cost.wall_seconds =
      mix(wall_seconds(cached, context), wall_seconds(uncached, context)) + hook.setup_seconds();
  cost.cpu_seconds = mix(cached.cpu_seconds, uncached.cpu_seconds);
  cost.device_bytes = static_cast<uint64_t>(
      mix(static_cast<double>(cached.device_bytes), static_cast<double>(uncached.device_bytes)));
  cost.bytes_copied = cached.bytes_copied;
  return cost;
}

}  // namespace grapnel::choose
