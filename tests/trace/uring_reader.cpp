// Reads files by io_uring, for tests: every file in blocks, or the first block of all files with
// one submission. Prints the bytes that were read.
//   test_uring_reader [--direct] [--sqpoll] [--together] BLOCK_BYTES FILE...
#include <fcntl.h>
#include <liburing.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

constexpr size_t kAlignment = 4096;

[[noreturn]] void fail(const char* what, int error_number) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(error_number));
  std::exit(1);
}

struct Options {
  bool direct = false;
  bool sqpoll = false;
  bool together = false;
  size_t block_bytes = 0;
  std::vector<const char*> files;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i++) {
    const std::string_view argument = argv[i];
    if (argument == "--direct")
      options.direct = true;
    else if (argument == "--sqpoll")
      options.sqpoll = true;
    else if (argument == "--together")
      options.together = true;
    else if (options.block_bytes == 0)
      options.block_bytes = std::strtoull(argv[i], nullptr, 10);
    else
      options.files.push_back(argv[i]);
  }
  if (options.block_bytes == 0 || options.block_bytes % kAlignment != 0 || options.files.empty()) {
    std::fprintf(
        stderr,
        "usage: test_uring_reader [--direct] [--sqpoll] [--together] BLOCK_BYTES FILE...\n");
    std::exit(2);
  }
  return options;
}

int open_file(const char* path, bool direct) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC | (direct ? O_DIRECT : 0));
  if (fd < 0) fail(path, errno);
  return fd;
}

/// Waits for a completion; the bytes that it brought.
uint64_t take(io_uring& ring) {
  io_uring_cqe* cqe = nullptr;
  if (const int error = io_uring_wait_cqe(&ring, &cqe); error < 0) fail("wait", -error);
  const int result = cqe->res;
  io_uring_cqe_seen(&ring, cqe);
  if (result < 0) fail("read", -result);
  return static_cast<uint64_t>(result);
}

void prepare(io_uring& ring, int fd, void* buffer, size_t bytes, uint64_t offset) {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  if (sqe == nullptr) fail("too many files", ENOSPC);
  io_uring_prep_read(sqe, fd, buffer, static_cast<unsigned>(bytes), offset);
}

uint64_t read_together(io_uring& ring, const Options& options, char* buffer) {
  for (size_t i = 0; i < options.files.size(); i++)
    prepare(ring, open_file(options.files[i], options.direct), buffer + i * options.block_bytes,
            options.block_bytes, 0);
  if (const int error = io_uring_submit(&ring); error < 0) fail("submit", -error);
  uint64_t bytes = 0;
  for (size_t i = 0; i < options.files.size(); i++) bytes += take(ring);
  return bytes;
}

uint64_t read_whole(io_uring& ring, const Options& options, const char* path, char* buffer) {
  const int fd = open_file(path, options.direct);
  uint64_t offset = 0;
  for (uint64_t got = 1; got > 0; offset += got) {
    prepare(ring, fd, buffer, options.block_bytes, offset);
    if (const int error = io_uring_submit(&ring); error < 0) fail("submit", -error);
    got = take(ring);
    if (got % options.block_bytes != 0) return offset + got;
  }
  return offset;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  io_uring ring{};
  const auto entries = static_cast<unsigned>(options.files.size());
  const unsigned flags = options.sqpoll ? IORING_SETUP_SQPOLL : 0;
  if (const int error = io_uring_queue_init(entries, &ring, flags); error < 0)
    fail("io_uring", -error);
  const size_t buffer_bytes = options.block_bytes * options.files.size();
  auto* buffer = static_cast<char*>(std::aligned_alloc(kAlignment, buffer_bytes));
  if (buffer == nullptr) fail("memory", ENOMEM);
  uint64_t bytes = 0;
  if (options.together)
    bytes = read_together(ring, options, buffer);
  else
    for (const char* path : options.files) bytes += read_whole(ring, options, path, buffer);
  std::printf("%llu\n", static_cast<unsigned long long>(bytes));
  io_uring_queue_exit(&ring);
  std::free(buffer);
  return 0;
}
