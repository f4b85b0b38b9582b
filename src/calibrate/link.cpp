#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "api/address.h"
#include "calibrate/measure.h"
#include "calibrate/median.h"
#include "hooks/common/thread_clock.h"
#include "wire/plugin.h"

namespace grapnel::calibrate {
namespace {

constexpr unsigned kConnects = 9;
constexpr unsigned kPulls = 5;
constexpr int kConnectMs = 5000;
constexpr uint64_t kFirstBytes = 4 << 20;
constexpr uint64_t kMostBytes = uint64_t{256} << 20;
constexpr double kLongEnoughSeconds = 0.15;

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

Result<Addresses> resolve(const api::Address& address) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (const int failed = getaddrinfo(address.host.c_str(), port.c_str(), &wanted, &found);
      failed != 0) {
    return Error{ErrorKind::network,
                 "cannot find " + address.to_string() + ": " + gai_strerror(failed),
                 "--on HOST:PORT names the server", 0, std::nullopt};
  }
  return Addresses(found, freeaddrinfo);
}

/// Seconds until the server's kernel has answered: one round trip.
Result<double> connect_once(const api::Address& address, const addrinfo& to) {
  const UniqueFd socket(::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return Error::system("cannot make a socket", errno);
  const double begin = hooks::wall_clock_seconds();
  int failed = ::connect(socket.get(), to.ai_addr, to.ai_addrlen) == 0 ? 0 : errno;
  if (failed == EINPROGRESS) {
    pollfd waiting{socket.get(), POLLOUT, 0};
    socklen_t size = sizeof failed;
    if (::poll(&waiting, 1, kConnectMs) != 1) {
      failed = ETIMEDOUT;
    } else if (getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failed, &size) != 0) {
      failed = errno;
    }
  }
  const double seconds = hooks::wall_clock_seconds() - begin;
  if (failed == 0) return seconds;
  Error error = Error::system("cannot connect to " + address.to_string(), failed,
                              "is the server running? grapnel serve --root DIR --listen HOST:PORT");
  error.kind = ErrorKind::network;
  return error;
}

Result<double> round_trip(const api::Address& address) {
  GRAPNEL_TRY(const Addresses addresses, resolve(address));
  std::vector<double> seconds;
  for (unsigned i = 0; i < kConnects; i++) {
    GRAPNEL_TRY(const double once, connect_once(address, *addresses));
    seconds.push_back(once);
  }
  // What is longer was held up; nothing makes it shorter.
  return *std::min_element(seconds.begin(), seconds.end());
}

/// Pulls more and more until one pull is long enough to tell, then some of that size.
Result<hooks::Calibrated> bandwidth(wire::Executor& server, double rtt_seconds) {
  uint64_t bytes = kFirstBytes;
  std::vector<double> rates;
  while (rates.size() < kPulls) {
    const double begin = hooks::wall_clock_seconds();
    GRAPNEL_TRY(const uint64_t got, server.pull_bytes(bytes));
    const double seconds = hooks::wall_clock_seconds() - begin - rtt_seconds;
    if (got == 0 || seconds <= 0) continue;
    if (seconds < kLongEnoughSeconds && bytes < kMostBytes) {
      bytes *= 2;
    } else {
      rates.push_back(static_cast<double>(got) / seconds);
    }
  }
  return median_of(rates);
}

}  // namespace

Result<Link> measure_link(const std::string& text) {
  GRAPNEL_TRY(const api::Address address, api::parse_address(text));
  Link link;
  GRAPNEL_TRY(link.rtt_seconds, round_trip(address));
  GRAPNEL_TRY(wire::Plugin* const plugin, wire::load_plugin());
  GRAPNEL_TRY(const auto server, plugin->connect(address.host, address.port));
  GRAPNEL_TRY(link.bytes_per_second, bandwidth(*server, link.rtt_seconds));
  return link;
}

}  // namespace grapnel::calibrate
