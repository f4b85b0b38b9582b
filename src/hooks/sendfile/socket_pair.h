// Two ends of a TCP connection of this process with itself.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

namespace grapnel::hooks::sendfile {

/// Over the loopback device, since sockets of other families take no sk_msg program.
class SocketPair {
 public:
  /// Errors: system (no loopback device in this network namespace, say).
  static Result<SocketPair> open();

  [[nodiscard]] int sender() const { return sender_.get(); }

 private:
  UniqueFd sender_;
  UniqueFd receiver_;  ///< never reads: nothing arrives
};

}  // namespace grapnel::hooks::sendfile
