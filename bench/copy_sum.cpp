// Loads copy_sum.bpf.c, drives it over a file like the `pipe` hook does, and prints bytes per
// second.
//   bench_copy_sum FILE      (the file's size must be a multiple of 4096)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "copy_sum_bpf.embed.h"
#include "hooks/kernel/page_constant.h"
#include "hooks/kernel/pipe_pair.h"
#include "hooks/pipe/request.h"
#include "lower/bpf/kernel_btf.h"
#include "lower/bpf/object.h"
#include "lower/bpf/worker.h"

namespace grapnel {
namespace {

namespace bpf = lower::bpf;

Status move_on(int from, int to, size_t bytes) {
  while (bytes > 0) {
    const ssize_t moved = splice(from, nullptr, to, nullptr, bytes, SPLICE_F_MOVE);
    if (moved <= 0) return Error::system("cannot empty the pipe", errno);
    bytes -= static_cast<size_t>(moved);
  }
  return ok_status();
}

Result<double> measure(const char* path) {
  GRAPNEL_TRY(const bpf::KernelBtf btf, bpf::KernelBtf::open());
  GRAPNEL_TRY(const uint64_t constant, hooks::kernel::find_page_constant(btf));
  bpf::LoadOptions options;
  options.name = "copy_sum";
  options.btf_path = btf.path();
  options.left_out_maps = {"gr_out_areas", "gr_group_areas"};
  GRAPNEL_TRY(const bpf::Object object, bpf::Object::load(embedded::copy_sum_bpf(), options));
  GRAPNEL_TRY(const bpf::MapMemory workers, object.map("gr_workers"));
  gr_worker& worker = workers.element<gr_worker>(0);
  constexpr size_t kRunBytes = 1 << 20;
  GRAPNEL_TRY(const hooks::kernel::PipePair pipe, hooks::kernel::PipePair::open(kRunBytes));
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  const UniqueFd drain(open("/dev/null", O_WRONLY | O_CLOEXEC));
  struct stat status{};
  if (!file.valid() || !drain.valid() || fstat(file.get(), &status) != 0) {
    return Error::system(path, errno);
  }

  const auto start = std::chrono::steady_clock::now();
  for (loff_t at = 0; at < status.st_size;) {
    const ssize_t bytes =
        splice(file.get(), &at, pipe.write_end(), nullptr,
               std::min<size_t>(kRunBytes, static_cast<size_t>(status.st_size - at)), 0);
    if (bytes <= 0) return Error::system("splice", errno);
    gr_request request{0, static_cast<gr_u32>(pipe.read_end()), constant};
    GRAPNEL_TRY(const uint32_t failed,
                bpf::run_syscall_program(object.program("gr_pipe"), &request, sizeof request));
    if (failed != 0 || worker.status != GR_STATUS_OK) {
      return Error{ErrorKind::internal, "the program failed", {}, 0, {}};
    }
    GRAPNEL_CHECK(move_on(pipe.read_end(), drain.get(), static_cast<size_t>(bytes)));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (worker.bytes != static_cast<uint64_t>(status.st_size)) {
    return Error{ErrorKind::internal, "not every byte was looked at", {}, 0, {}};
  }
  std::fprintf(stderr, "sum %llx\n", static_cast<unsigned long long>(worker.state[0]));
  return static_cast<double>(status.st_size) / seconds.count();
}

}  // namespace
}  // namespace grapnel

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_copy_sum FILE\n");
    return 2;
  }
  const auto rate = grapnel::measure(argv[1]);
  if (!rate.ok()) {
    std::fprintf(stderr, "%s\n", rate.error().to_string().c_str());
    return 1;
  }
  std::printf("%.0f\n", *rate);
  return 0;
}
