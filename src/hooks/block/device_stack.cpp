#include "hooks/block/device_stack.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "base/unique_fd.h"

namespace grapnel::hooks::block {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCure = "use another hook";
constexpr int kDeepestStack = 8;
constexpr long kXfsMagic = 0x58465342;
constexpr unsigned kInlineData = 0x10000000;  // FS_INLINE_DATA_FL: ext4, small files

Verdict refuse(std::string reason) { return Verdict::refuse(std::move(reason), kCure); }

// --- The file ---

Verdict has_plain_file_system(int file) {
  struct statfs status{};
  if (fstatfs(file, &status) != 0)
    return refuse(Error::system("cannot ask for the file system", errno).message);
  if (status.f_type != EXT4_SUPER_MAGIC && status.f_type != kXfsMagic) {
    return refuse(
        "its file system is neither ext4 nor xfs: what comes from the device may not be the "
        "file's bytes");
  }
  return Verdict::allow();
}

Verdict has_plain_content(int file) {
  struct statx status{};
  if (statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) != 0)
    return refuse(Error::system("cannot ask for the file's attributes", errno).message);
  const struct {
    uint64_t attribute;
    const char* what;
  } refused[] = {{STATX_ATTR_ENCRYPTED, "encrypted"},
                 {STATX_ATTR_COMPRESSED, "compressed"},
                 {STATX_ATTR_VERITY, "verified (fs-verity) only after it was read"},
                 {STATX_ATTR_DAX, "read without requests (DAX)"}};
  for (const auto& [attribute, what] : refused)
    if ((status.stx_attributes & attribute) != 0) return refuse(std::string("the file is ") + what);
  unsigned flags = 0;
  if (ioctl(file, FS_IOC_GETFLAGS, &flags) == 0 && (flags & kInlineData) != 0)
    return refuse("the file lies in its inode, not in blocks of its own");
  fsxattr extended{};
  if (ioctl(file, FS_IOC_FSGETXATTR, &extended) == 0 &&
      (extended.fsx_xflags & FS_XFLAG_REALTIME) != 0)
    return refuse("the file lies on the realtime device of its file system");
  return Verdict::allow();
}

// --- The devices ---

fs::path directory_of(uint64_t device) {
  return "/sys/dev/block/" + std::to_string(major(device)) + ":" + std::to_string(minor(device));
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string read_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// True if the device mapper says that all of device `name` are linear mappings.
bool is_linear(const std::string& name) {
  const UniqueFd control(open("/dev/mapper/control", O_RDWR | O_CLOEXEC));
  if (!control.valid()) return false;
  alignas(dm_ioctl) char buffer[16 << 10] = {};
  auto& request = *reinterpret_cast<dm_ioctl*>(buffer);
  request.version[0] = DM_VERSION_MAJOR;
  request.data_size = sizeof buffer;
  request.data_start = sizeof request;
  request.flags = DM_STATUS_TABLE_FLAG;
  if (name.size() >= sizeof request.name) return false;
  std::memcpy(request.name, name.c_str(), name.size());
  if (ioctl(control.get(), DM_TABLE_STATUS, &request) != 0 || request.target_count == 0 ||
      (request.flags & DM_BUFFER_FULL_FLAG) != 0)
    return false;
  size_t at = request.data_start;
  for (uint32_t i = 0; i < request.target_count; i++) {
    if (at + sizeof(dm_target_spec) > sizeof buffer) return false;
    const auto& target = *reinterpret_cast<const dm_target_spec*>(buffer + at);
    if (std::strcmp(target.target_type, "linear") != 0) return false;
    at = request.data_start + target.next;
  }
  return true;
}

Verdict is_plain_device(const fs::path& link, int depth);

Verdict are_plain_slaves(const fs::path& disk, int depth) {
  std::error_code failed;
  bool any = false;
  for (const auto& slave : fs::directory_iterator(disk / "slaves", failed)) {
    any = true;
    if (Verdict verdict = is_plain_device(slave.path(), depth + 1); !verdict.yes) return verdict;
  }
  if (failed || !any) return refuse("what lies below " + disk.filename().string() + " is unknown");
  return Verdict::allow();
}

Verdict is_plain_device(const fs::path& link, int depth) {
  std::error_code failed;
  fs::path disk = fs::canonical(link, failed);
  if (failed) return refuse("the file's block device is unknown (" + link.string() + ")");
  if (depth > kDeepestStack) return refuse("its block devices are stacked too deep");
  if (is_there(disk / "partition")) disk = disk.parent_path();
  const std::string name = disk.filename().string();
  if (is_there(disk / "dm")) {
    if (!is_linear(read_line(disk / "dm/name")))
      return refuse("its block device " + name + " is not proven to be a plain linear mapping");
    return are_plain_slaves(disk, depth);
  }
  if (is_there(disk / "md") || is_there(disk / "bcache"))
    return refuse("its block device " + name + " puts its data together from several others");
  if (!is_there(disk / "mq"))
    return refuse("its block device " + name + " takes no requests that could be watched");
  return Verdict::allow();
}

uint64_t read_kib(const fs::path& path) {
  const std::string text = read_line(path);
  return std::strtoull(text.c_str(), nullptr, 10) << 10;
}

}  // namespace

Verdict is_plain(const source::Source& source) {
  const int file = source.file.get();
  if (Verdict verdict = has_plain_file_system(file); !verdict.yes) return verdict;
  if (Verdict verdict = has_plain_content(file); !verdict.yes) return verdict;
  return is_plain_device(directory_of(source.identity.device), 0);
}

uint64_t readahead_limit_bytes(const source::Source& source) {
  const fs::path device = directory_of(source.identity.device);
  const fs::path disk = is_there(device / "partition") ? device / ".." : device;
  return std::max(read_kib(disk / "bdi/read_ahead_kb"), read_kib(disk / "queue/max_sectors_kb"));
}

}  // namespace grapnel::hooks::block
