// "HOST:PORT" as people write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace grapnel::api {

struct Address {
  std::string host;  ///< name, IPv4, or IPv6 without brackets
  uint16_t port = 0;

  /// True where only this machine can connect: 127.0.0.0/8, ::1, and the name localhost.
  [[nodiscard]] bool is_loopback() const;
  /// As parse_address takes it.
  [[nodiscard]] std::string to_string() const;
};

/// "storage7:31337", "127.0.0.1:0", "[::1]:31337"; without a port: 31337. ErrorKind::usage.
grapnel::Result<Address> parse_address(std::string_view text);

}  // namespace grapnel::api
