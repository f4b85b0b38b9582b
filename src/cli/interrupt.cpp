#include "cli/interrupt.h"

#include <unistd.h>

#include <array>
#include <csignal>

#include "cli/arguments.h"

namespace grapnel::cli {
namespace {

api::CancelToken token;
std::atomic<bool> interruptible{false};

extern "C" void on_interrupt(int) {
  if (interruptible.load(std::memory_order_relaxed) && !token.cancelled()) {
    token.cancel();
    return;
  }
  ::_exit(kExitInterrupted);
}

}  // namespace

api::CancelToken& interrupt_token() { return token; }

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  for (const int signal : std::array{SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before{};
    // nohup and shells that start jobs in the background have them ignored; that stays.
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
  }
}

Interruptible::Interruptible() { interruptible = true; }
Interruptible::~Interruptible() { interruptible = false; }

EndsOnInterrupt::EndsOnInterrupt() : was_interruptible_(interruptible.exchange(false)) {}
EndsOnInterrupt::~EndsOnInterrupt() { interruptible = was_interruptible_; }

}  // namespace grapnel::cli
