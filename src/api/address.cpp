#include "api/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

namespace grapnel::api {
namespace {

constexpr uint16_t kDefaultPort = 31337;

grapnel::Error bad_address(std::string_view text, const std::string& why) {
  return {grapnel::ErrorKind::usage, "'" + std::string(text) + "' is no address: " + why,
          "write HOST:PORT, for instance storage7:31337 or [::1]:31337", 0, std::nullopt};
}

}  // namespace

bool Address::is_loopback() const {
  if (host == "localhost") return true;
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six) != 0;
}

std::string Address::to_string() const {
  const bool six = host.find(':') != std::string::npos;
  return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

grapnel::Result<Address> parse_address(std::string_view text) {
  Address address;
  std::string_view port;
  if (!text.empty() && text[0] == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return bad_address(text, "the bracket is not closed");
    address.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && port[0] != ':') return bad_address(text, "after ] comes :PORT");
  } else {
    const size_t colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
      return bad_address(text, "an IPv6 address stands in brackets");
    }
    address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (address.host.empty()) return bad_address(text, "no host");
  address.port = kDefaultPort;
  if (port.empty()) return address;
  const std::string digits(port.substr(1));
  const char* const end = digits.c_str() + digits.size();
  const auto parsed = std::from_chars(digits.c_str(), end, address.port);
  if (digits.empty() || parsed.ec != std::errc{} || parsed.ptr != end) {
    return bad_address(text, "a port is a number up to 65535");
  }
  return address;
}

}  // namespace grapnel::api
