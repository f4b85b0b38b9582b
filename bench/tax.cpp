// What unrelated calls cost this process, in nanoseconds: run while a hook is at work and while
// none is, the difference is what the hook costs others.
//   bench_tax FILE      prints "getppid NS" and "pread NS" (4 KiB, cached): the best of many rounds
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <limits>

#include "base/unique_fd.h"

namespace {

constexpr int kRounds = 40;
constexpr int kCallsPerRound = 20000;

/// Of the quickest round: the others were interrupted.
double nanoseconds_per_call(const std::function<void()>& call) {
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < kRounds; round++) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCallsPerRound; i++) call();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / kCallsPerRound);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const grapnel::UniqueFd file(argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1);
  char page[4096];
  if (!file.valid() || pread(file.get(), page, sizeof page, 0) != sizeof page) {
    std::fprintf(stderr, "usage: bench_tax FILE (of at least 4096 bytes)\n");
    return 2;
  }
  std::printf("getppid %.1f\n", nanoseconds_per_call([] { syscall(SYS_getppid); }));
  std::printf("pread %.1f\n", nanoseconds_per_call([&] {
                if (pread(file.get(), page, sizeof page, 0) < 0) std::perror("pread");
              }));
  return 0;
}
