#include "hooks/sendfile/socket_pair.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace grapnel::hooks::sendfile {
namespace {

constexpr const char* kHint =
    "the sendfile hook needs TCP over the loopback device: ip link set lo up";

Error failed(const char* what) { return Error::system(what, errno, kHint); }

bool same_address(const sockaddr_in& a, const sockaddr_in& b) {
  return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
}

}  // namespace

Result<SocketPair> SocketPair::open() {
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!listener.valid() || bind(listener.get(), generic, size) != 0 ||
      listen(listener.get(), 1) != 0 || getsockname(listener.get(), generic, &size) != 0)
    return failed("cannot listen on the loopback address");

  SocketPair pair;
  pair.sender_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!pair.sender_.valid() || connect(pair.sender(), generic, size) != 0)
    return failed("cannot connect to the loopback address");
  sockaddr_in own{};
  size = sizeof own;
  if (getsockname(pair.sender(), reinterpret_cast<sockaddr*>(&own), &size) != 0)
    return failed("cannot ask for a socket's address");
  for (;;) {
    sockaddr_in peer{};
    size = sizeof peer;
    pair.receiver_ =
        UniqueFd(accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
    if (!pair.receiver_.valid()) return failed("cannot accept a connection from ourselves");
    if (same_address(peer, own)) return pair;  // else somebody else was faster: once more
  }
}

}  // namespace grapnel::hooks::sendfile
