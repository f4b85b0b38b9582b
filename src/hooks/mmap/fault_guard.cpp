#include "hooks/mmap/fault_guard.h"

#include <signal.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <mutex>

namespace grapnel::hooks {
namespace {

struct GuardedRegion {
  char* volatile begin = nullptr;
  char* volatile end = nullptr;
  volatile sig_atomic_t faulted = 0;
};
thread_local GuardedRegion guarded;

constexpr uintptr_t kPageMask = 4095;

struct sigaction previous_action;

void pass_on(int number, siginfo_t* info, void* context) {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(number, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(number);
  } else {
    // Not ours and nobody else's: the access is repeated on return and ends the process as usual.
    signal(number, SIG_DFL);
  }
}

// Uses mmap only, a plain system call.
void on_sigbus(int number, siginfo_t* info, void* context) {
  char* const address = static_cast<char*>(info->si_addr);
  if (guarded.begin == nullptr || address < guarded.begin || address >= guarded.end) {
    pass_on(number, info, context);
    return;
  }
  const int saved_errno = errno;
  char* const page = address - (reinterpret_cast<uintptr_t>(address) & kPageMask);
  void* const zeros = mmap(page, static_cast<size_t>(guarded.end - page), PROT_READ,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (zeros == MAP_FAILED) signal(number, SIG_DFL);
  guarded.faulted = 1;
  errno = saved_errno;
}

void install_handler() {
  struct sigaction action{};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous_action);
}

}  // namespace

FaultGuard::FaultGuard(char* begin, size_t size) {
  static std::once_flag installed;
  std::call_once(installed, install_handler);
  guarded.faulted = 0;
  guarded.end = begin + size;
  guarded.begin = begin;
}

FaultGuard::~FaultGuard() {
  guarded.begin = nullptr;
  guarded.end = nullptr;
}

bool FaultGuard::faulted() const { return guarded.faulted != 0; }

}  // namespace grapnel::hooks
