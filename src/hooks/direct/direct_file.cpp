#include "hooks/direct/direct_file.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <string>

namespace grapnel::hooks {
namespace {

// The C library's own struct statx is older than STATX_DIOALIGN (Linux 6.1, 825cf206ed51).
int raw_statx(int file, unsigned mask, struct statx& answer) {
  return static_cast<int>(syscall(SYS_statx, file, "", AT_EMPTY_PATH, mask, &answer));
}

Error refused(const source::Source& source, const std::string& why) {
  Error error;
  error.kind = ErrorKind::hook;
  error.message = source.path + " cannot be read around the page cache: " + why;
  error.hint = "use --hook read";
  return error;
}

bool usable(uint32_t alignment) {
  return std::has_single_bit(alignment) && alignment <= kLargestAlignment;
}

}  // namespace

Result<DirectFile> DirectFile::open(const source::Source& source) {
  const std::string path = "/proc/self/fd/" + std::to_string(source.file.get());
  DirectFile direct;
  direct.file = UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!direct.file.valid()) {
    if (errno == EINVAL) return refused(source, "its file system has no direct I/O");
    Error error = Error::system("cannot open " + source.path + " again for direct I/O", errno,
                                errno == ENOENT ? "is /proc mounted?" : "use --hook read");
    error.kind = ErrorKind::hook;
    return error;
  }
  struct statx status{};
  if (raw_statx(direct.file.get(), STATX_DIOALIGN, status) == 0 &&
      (status.stx_mask & STATX_DIOALIGN) != 0) {
    if (status.stx_dio_offset_align == 0) {
      return refused(source, "its file system allows no direct I/O on this file");
    }
    direct.offset_alignment = status.stx_dio_offset_align;
    direct.memory_alignment = status.stx_dio_mem_align;
  }
  // File systems that do not tell: pages suit all that have blocks of no more than a page. A read
  // that is refused all the same (EINVAL) hands the extent to another hook.
  if (!usable(direct.offset_alignment) || !usable(direct.memory_alignment)) {
    return refused(source, "direct I/O needs an alignment of " +
                               std::to_string(direct.offset_alignment) + " bytes, more than " +
                               std::to_string(kLargestAlignment));
  }
  return direct;
}

}  // namespace grapnel::hooks
