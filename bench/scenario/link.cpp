// A link between two network namespaces with a delay of its own: a packet leaves it DELAY after it
// came in. For kernels without the netem queueing discipline. The rate is not limited here but by
// a token bucket (tc tbf) on the devices.
//
//   bench_link NAMESPACE_A NAMESPACE_B DELAY_MICROSECONDS     (one way)
//
// Makes a TUN device "link0" in each of the named namespaces (ip netns add) and carries packets
// between them until it is killed; the devices vanish with it. Prints "ready" when both are there,
// and at its end (SIGTERM) how many packets and bytes went each way, and how many microseconds too
// late packets left, on average and at most.
//
// Packets travel as the kernel's TCP makes them, up to 64 KiB each (virtio-net header,
// Documentation/networking/tuntap.rst), so a gigabyte a second is some 16,000 packets a second.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kPacketBytes = (64 << 10) + 64;  // a packet of TCP and the virtio-net header
constexpr int kHeaderBytes = 12;                  // struct virtio_net_hdr_v1; its header is not C++
constexpr size_t kMostPackets = 4096;             // in flight one way; 5 ms at 1 GB/s are 80

[[noreturn]] void fail(const std::string& what, int error_number) {
  std::fprintf(stderr, "bench_link: %s: %s\n", what.c_str(), std::strerror(error_number));
  std::exit(1);
}

int open_device(const std::string& name_space) {
  const std::string path = "/run/netns/" + name_space;
  const int space = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (space < 0) fail(path + " (ip netns add " + name_space + "?)", errno);
  if (setns(space, CLONE_NEWNET) != 0) fail("setns (are you root?)", errno);
  close(space);
  const int device = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (device < 0) fail("/dev/net/tun", errno);
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  std::strcpy(request.ifr_name, "link0");
  if (ioctl(device, TUNSETIFF, &request) != 0) fail("TUNSETIFF", errno);
  int header_bytes = kHeaderBytes;
  if (ioctl(device, TUNSETVNETHDRSZ, &header_bytes) != 0) fail("TUNSETVNETHDRSZ", errno);
  if (ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) != 0) fail("TUNSETOFFLOAD", errno);
  return device;
}

struct Packet {
  Clock::time_point due;
  size_t size = 0;
  std::unique_ptr<char[]> bytes;
};

/// One direction. Runs on one thread until `stop` is readable.
class Direction {
 public:
  Direction(int from, int to, std::chrono::microseconds delay, int stop)
      : from_(from), to_(to), stop_(stop), delay_(delay) {}

  void run() {
    prctl(PR_SET_TIMERSLACK, 1000UL);
    while (wait()) {
      send_due();
      receive();
    }
  }

  void report(const char* name) const {
    std::printf(
        "%s: %llu packets, %llu bytes, late by %.1f us on average, %.1f us at most, %llu dropped\n",
        name, static_cast<unsigned long long>(packets_), static_cast<unsigned long long>(bytes_),
        packets_ > 0 ? late_us_ / static_cast<double>(packets_) : 0.0, latest_us_,
        static_cast<unsigned long long>(dropped_));
  }

 private:
  // Until something can be read or sent. False: it is time to stop.
  bool wait() {
    pollfd files[] = {{stop_, POLLIN, 0}, {from_, POLLIN, 0}};
    const bool full = waiting_.size() == kMostPackets;
    timespec timeout{};
    timespec* limit = nullptr;
    if (!waiting_.empty()) {
      const auto left = std::max(waiting_.front().due - Clock::now(), Clock::duration::zero());
      timeout.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
      timeout.tv_nsec = (left % std::chrono::seconds(1)).count();
      limit = &timeout;
    }
    const int ready = ppoll(files, full ? 1 : 2, limit, nullptr);
    if (ready < 0 && errno != EINTR) fail("poll", errno);
    return files[0].revents == 0;
  }

  void send_due() {
    const auto now = Clock::now();
    while (!waiting_.empty() && waiting_.front().due <= now) {
      Packet packet = std::move(waiting_.front());
      waiting_.pop_front();
      // A full receive queue drops, as a switch does; TCP sends again.
      if (write(to_, packet.bytes.get(), packet.size) < 0) dropped_++;
      const double late_us = std::chrono::duration<double, std::micro>(now - packet.due).count();
      late_us_ += late_us;
      latest_us_ = std::max(latest_us_, late_us);
      free_.push_back(std::move(packet.bytes));
    }
  }

  void receive() {
    while (waiting_.size() < kMostPackets) {
      if (free_.empty()) free_.push_back(std::make_unique<char[]>(kPacketBytes));
      const ssize_t size = read(from_, free_.back().get(), kPacketBytes);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (size < 0) fail("reading a packet", errno);
      const auto now = Clock::now();
      waiting_.push_back({now + delay_, static_cast<size_t>(size), std::move(free_.back())});
      free_.pop_back();
      packets_++;
      bytes_ += static_cast<uint64_t>(size) - kHeaderBytes;
      // What is due goes first, or a flood at the entrance would hold up the exit.
      if (waiting_.front().due <= now) return;
    }
  }

  int from_;
  int to_;
  int stop_;
  std::chrono::microseconds delay_;
  std::deque<Packet> waiting_;
  std::vector<std::unique_ptr<char[]>> free_;
  uint64_t packets_ = 0;
  uint64_t bytes_ = 0;
  uint64_t dropped_ = 0;
  double late_us_ = 0;
  double latest_us_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_link NAMESPACE_A NAMESPACE_B DELAY_MICROSECONDS\n");
    return 2;
  }
  char* end = nullptr;
  const long long delay_us = std::strtoll(argv[3], &end, 10);
  if (*end != '\0' || delay_us < 0 || delay_us > 1'000'000) {
    std::fprintf(stderr, "bench_link: the delay is a number of microseconds up to a second\n");
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int stop = signalfd(-1, &signals, SFD_CLOEXEC);
  if (stop < 0) fail("signalfd", errno);

  const int a = open_device(argv[1]);
  const int b = open_device(argv[2]);
  Direction there(a, b, std::chrono::microseconds(delay_us), stop);
  Direction back(b, a, std::chrono::microseconds(delay_us), stop);
  std::printf("ready\n");
  std::fflush(stdout);
  std::thread thread([&] { back.run(); });
  there.run();
  thread.join();
  there.report(argv[1]);
  back.report(argv[2]);
  return 0;
}
