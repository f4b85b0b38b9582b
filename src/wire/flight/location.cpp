#include "wire/flight/location.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "base/unique_fd.h"
#include "wire/flight/errors.h"

namespace grapnel::wire {
namespace {

std::string in_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

std::string address_text(const std::string& host, uint16_t port) {
  return in_brackets(host) + ":" + std::to_string(port);
}

Result<arrow::flight::Location> location_of(const std::string& host, uint16_t port) {
  auto location = arrow::flight::Location::ForGrpcTcp(in_brackets(host), port);
  if (!location.ok()) return from_arrow(location.status(), "address " + address_text(host, port));
  return *std::move(location);
}

std::string why_not_listen(const std::string& host, uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int unknown = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (unknown != 0) return ::gai_strerror(unknown);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, ::freeaddrinfo);
  const UniqueFd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int reuse = 1;  // as servers have it: a port that was just left is free
  if (socket.valid() &&
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse) == 0 &&
      ::bind(socket.get(), found->ai_addr, found->ai_addrlen) == 0 &&
      ::listen(socket.get(), 1) == 0)
    return {};
  return std::generic_category().message(errno);
}

}  // namespace grapnel::wire
