#include "hooks/kernel/page_constant.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "hooks/common/user_space.h"
#include "hooks/kernel/page_search.h"
#include "hooks/kernel/pipe_pair.h"
#include "lower/bpf/object.h"
#include "page_search_bpf.embed.h"

namespace grapnel::hooks::kernel {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr const char* kRightsHint =
    "run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN (the last one for the page "
    "numbers "
    "in /proc/self/pagemap)";

/// Physical number of the page at `address`. The page must be pinned.
Result<uint64_t> frame_number(const void* address) {
  const UniqueFd pagemap(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  uint64_t entry = 0;
  const auto index = reinterpret_cast<uintptr_t>(address) / kPageBytes;
  if (!pagemap.valid() || pread(pagemap.get(), &entry, sizeof entry,
                                static_cast<off_t>(index * sizeof entry)) != sizeof entry)
    return Error::system("cannot read /proc/self/pagemap", errno, kRightsHint);
  constexpr uint64_t kFrameMask = (uint64_t{1} << 55) - 1;
  constexpr uint64_t kPresent = uint64_t{1} << 63;
  const uint64_t frame = entry & kFrameMask;
  if ((entry & kPresent) == 0 || frame == 0) {
    return Error{ErrorKind::permission,
                 "the kernel hides page numbers from this user (/proc/self/pagemap)", kRightsHint};
  }
  return frame;
}

/// Pages of random bytes in a pipe, not copied: vmsplice pins them.
Status fill_pipe(const PipePair& pipe, PageBuffer& pages) {
  for (size_t at = 0; at < pages.size(); at += 256)
    if (getrandom(pages.data() + at, 256, 0) != 256)
      return Error::system("cannot get random bytes", errno);
  const iovec all{pages.data(), pages.size()};
  if (vmsplice(pipe.write_end(), &all, 1, 0) != static_cast<ssize_t>(pages.size()))
    return Error::system("cannot put pages into a pipe", errno);
  return ok_status();
}

Error unknown_layout() {
  return Error{ErrorKind::hook,
               "the kernel's memory is not laid out as grapnel expects (direct map, vmemmap)",
               "use the hooks in user space; please report this with the kernel's version"};
}

}  // namespace

Result<uint64_t> find_page_constant(const lower::bpf::KernelBtf& btf) {
  if (sysconf(_SC_PAGESIZE) != kPageBytes) return unknown_layout();
  lower::bpf::LoadOptions options;
  options.name = "gr_page_search";
  options.btf_path = btf.path();
  GRAPNEL_TRY(const lower::bpf::Object object,
              lower::bpf::Object::load(embedded::page_search_bpf(), options));

  GRAPNEL_TRY(PageBuffer pages, PageBuffer::allocate(GR_SEARCH_PAGES * kPageBytes));
  GRAPNEL_TRY(const PipePair pipe, PipePair::open(pages.size()));
  GRAPNEL_CHECK(fill_pipe(pipe, pages));
  gr_page_search search{};
  search.pipe_fd = static_cast<gr_u32>(pipe.read_end());
  GRAPNEL_TRY(search.first_frame, frame_number(pages.data()));
  for (size_t i = 0; i < GR_SEARCH_PAGES; i++)
    std::memcpy(search.words[i], pages.data() + i * kPageBytes, sizeof search.words[i]);
  GRAPNEL_CHECK(lower::bpf::run_syscall_program(object.program("gr_find_page_constant"), &search,
                                                sizeof search));
  if (search.found == 0 || search.right_pages != GR_SEARCH_PAGES) return unknown_layout();
  return search.constant;
}

}  // namespace grapnel::hooks::kernel
