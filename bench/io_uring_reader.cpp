// The bare reader that the `direct` hook is held against: O_DIRECT through io_uring with registered
// buffers, nothing done with the bytes. Prints bytes per second.
//   bench_io_uring_reader FILE [BLOCK_BYTES [DEPTH [buffered]]]      buffered: without O_DIRECT
#include <fcntl.h>
#include <liburing.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

[[noreturn]] void fail(const char* what, int error_number) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(error_number));
  std::exit(1);
}

struct Reader {
  io_uring ring{};
  int fd = -1;
  uint64_t file_bytes = 0;
  uint64_t block_bytes = 0;
  uint64_t next_offset = 0;
  std::vector<iovec> buffers;

  bool submit(unsigned slot) {
    if (next_offset >= file_bytes) return false;
    io_uring_sqe* sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read_fixed(sqe, fd, buffers[slot].iov_base, static_cast<unsigned>(block_bytes),
                             next_offset, static_cast<int>(slot));
    io_uring_sqe_set_data64(sqe, slot);
    next_offset += block_bytes;
    return true;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_io_uring_reader FILE [BLOCK_BYTES [DEPTH [buffered]]]\n");
    return 2;
  }
  Reader reader;
  reader.block_bytes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 256 << 10;
  const unsigned depth = argc > 3 ? static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10)) : 16;
  const bool buffered = argc > 4 && std::strcmp(argv[4], "buffered") == 0;
  reader.fd = open(argv[1], O_RDONLY | (buffered ? 0 : O_DIRECT) | O_CLOEXEC);
  if (reader.fd < 0) fail(argv[1], errno);
  struct stat status{};
  if (fstat(reader.fd, &status) != 0) fail("fstat", errno);
  reader.file_bytes = static_cast<uint64_t>(status.st_size);
  if (int error = io_uring_queue_init(depth, &reader.ring, 0); error < 0) fail("io_uring", -error);
  for (unsigned slot = 0; slot < depth; slot++) {
    void* buffer = std::aligned_alloc(4096, reader.block_bytes);
    if (buffer == nullptr) fail("memory", ENOMEM);
    std::memset(buffer, 0, reader.block_bytes);
    reader.buffers.push_back({buffer, reader.block_bytes});
  }
  if (int error = io_uring_register_buffers(&reader.ring, reader.buffers.data(), depth);
      error < 0) {
    fail("io_uring_register_buffers", -error);
  }

  const auto start = std::chrono::steady_clock::now();
  unsigned in_flight = 0;
  for (unsigned slot = 0; slot < depth; slot++) in_flight += reader.submit(slot) ? 1 : 0;
  uint64_t bytes = 0;
  while (in_flight > 0) {
    if (int error = io_uring_submit_and_wait(&reader.ring, 1); error < 0) fail("submit", -error);
    io_uring_cqe* cqe = nullptr;
    while (io_uring_peek_cqe(&reader.ring, &cqe) == 0) {
      if (cqe->res < 0) fail("read", -cqe->res);
      bytes += static_cast<uint64_t>(cqe->res);
      const auto slot = static_cast<unsigned>(io_uring_cqe_get_data64(cqe));
      io_uring_cqe_seen(&reader.ring, cqe);
      in_flight -= reader.submit(slot) ? 0 : 1;
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (bytes != reader.file_bytes) {
    std::fprintf(stderr, "read %llu of %llu bytes\n", static_cast<unsigned long long>(bytes),
                 static_cast<unsigned long long>(reader.file_bytes));
    return 1;
  }
  std::printf("%.0f\n", static_cast<double>(bytes) / seconds.count());
  return 0;
}
