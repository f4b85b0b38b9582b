// ctrl-C: cancels the running query; a second one, or one while nothing runs, ends the process.
#pragma once

#include "grapnel/grapnel.h"

namespace grapnel::cli {

/// The token that SIGINT and SIGTERM set. Lives as long as the process.
api::CancelToken& interrupt_token();

/// From here on SIGINT, SIGTERM and SIGHUP act as described above.
void catch_interrupts();

/// While one of these lives, the first signal sets the token instead of ending the process.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
};

/// While one of these lives inside an Interruptible, the first signal ends the process after all:
/// for writes that may block for ever because nobody reads. Look at the token after construction: a
/// signal that came before has set it.
class EndsOnInterrupt {
 public:
  EndsOnInterrupt();
  ~EndsOnInterrupt();
  EndsOnInterrupt(const EndsOnInterrupt&) = delete;
  EndsOnInterrupt& operator=(const EndsOnInterrupt&) = delete;

 private:
  bool was_interruptible_;
};

}  // namespace grapnel::cli
