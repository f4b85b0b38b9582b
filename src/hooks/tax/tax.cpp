#include "hooks/tax/tax.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <utility>

#include "base/unique_fd.h"
#include "hooks/common/user_space.h"
#include "hooks/hook.h"
#include "hooks/kernel/kernel_hook.h"

namespace grapnel::hooks::tax {
namespace {

constexpr int kTurns = 4;
constexpr int kRoundsPerTurn = 10;
constexpr int kCallsPerRound = 2000;
constexpr int kRequests = 200;
constexpr size_t kReadBytes = 4096;
constexpr const char* kOwnProgram = "/proc/self/exe";

/// Of the quickest round: the others were interrupted.
template <typename Call>
double nanoseconds_per_call(const Call& call) {
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < kRoundsPerTurn; round++) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCallsPerRound; i++) call();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / kCallsPerRound);
  }
  return best;
}

/// The quickest of what was measured.
struct Calls {
  double call_ns = std::numeric_limits<double>::max();
  double read_ns = std::numeric_limits<double>::max();

  void measure(int file, char* buffer) {
    call_ns = std::min(call_ns, nanoseconds_per_call([] { syscall(SYS_getppid); }));
    read_ns = std::min(read_ns, nanoseconds_per_call([&] {
                         (void)!pread(file, buffer, kReadBytes, 0);  // has worked before
                       }));
  }
};

/// A hook that others can meet.
struct Taxing {
  const kernel::AttachPoints* places;
  const kernel::AttachPoint* point;
  std::string btf_path;
  Calls with;
  size_t tax;  ///< in Taxes::hooks
};

Result<kernel::FirstLooks> attach(const Taxing& hook) {
  return kernel::FirstLooks::attach(*hook.places, *hook.point, hook.btf_path);
}

std::vector<Taxing> find_hooks(Taxes& taxes) {
  std::vector<Taxing> found;
  for (Hook* hook : all_hooks()) {
    auto* const in_kernel = dynamic_cast<kernel::KernelHook*>(hook);
    if (in_kernel == nullptr) continue;
    const Verdict permitted = hook->permitted();
    Tax& tax = taxes.hooks.emplace_back();
    tax.hook = hook->name();
    if (!permitted.yes) {
      tax.reason = permitted.reason;
    } else if (in_kernel->places() != nullptr) {
      tax.place = in_kernel->attach_point();
      found.push_back({in_kernel->places(),
                       in_kernel->point(),
                       kernel::KernelAccess::get()->btf_path(),
                       {},
                       taxes.hooks.size() - 1});
    }
  }
  return found;
}

/// Reads around the page cache, if the file system of this program can do so.
void cause_requests() {
  const UniqueFd file(open(kOwnProgram, O_RDONLY | O_DIRECT | O_CLOEXEC));
  const auto buffer = PageBuffer::allocate(kReadBytes);
  if (!file.valid() || !buffer.ok()) return;
  for (int i = 0; i < kRequests; i++)
    if (pread(file.get(), buffer->data(), kReadBytes, static_cast<off_t>(kReadBytes) * (i % 16)) <=
        0)
      return;
}

/// By the kernel's own clock, which is in what it says; empty if the programs do not run for
/// requests, or it keeps no times.
std::optional<double> request_nanoseconds(const Taxing& hook) {
  const UniqueFd statistics(bpf_enable_stats(BPF_STATS_RUN_TIME));
  const auto looks = attach(hook);
  if (!statistics.valid() || !looks.ok()) return std::nullopt;
  cause_requests();
  double nanoseconds = 0;
  uint64_t runs = 0;
  for (const std::string_view program : hook.point->programs) {
    bpf_prog_info info{};
    uint32_t size = sizeof info;
    const int descriptor = looks->object().program(std::string(program));
    if (bpf_obj_get_info_by_fd(descriptor, &info, &size) != 0) return std::nullopt;
    nanoseconds += static_cast<double>(info.run_time_ns);
    runs = std::max<uint64_t>(runs, info.run_cnt);
  }
  if (runs == 0) return std::nullopt;
  return nanoseconds / static_cast<double>(runs);
}

}  // namespace

Result<Taxes> measure_taxes() {
  const UniqueFd file(open(kOwnProgram, O_RDONLY | O_CLOEXEC));
  char buffer[kReadBytes];
  if (!file.valid() || pread(file.get(), buffer, sizeof buffer, 0) != sizeof buffer)
    return Error::system(std::string("cannot read ") + kOwnProgram, errno, "mount /proc");
  Taxes taxes;
  std::vector<Taxing> hooks = find_hooks(taxes);
  Calls without;
  for (int turn = 0; turn < kTurns; turn++) {
    without.measure(file.get(), buffer);
    for (Taxing& hook : hooks) {
      const auto looks = attach(hook);
      if (looks.ok()) {
        hook.with.measure(file.get(), buffer);
      } else {
        taxes.hooks[hook.tax].reason = looks.error().message;
      }
    }
  }
  taxes.call_ns = without.call_ns;
  taxes.read_ns = without.read_ns;
  for (const Taxing& hook : hooks) {
    Tax& tax = taxes.hooks[hook.tax];
    if (!tax.reason.empty()) continue;
    tax.call_ns = hook.with.call_ns - without.call_ns;
    tax.read_ns = hook.with.read_ns - without.read_ns;
    if (hook.places->at_block_device) tax.request_ns = request_nanoseconds(hook);
  }
  return taxes;
}

}  // namespace grapnel::hooks::tax
