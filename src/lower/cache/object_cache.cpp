#include "lower/cache/object_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

namespace grapnel::lower {
namespace {

constexpr char kMagic[8] = {'G', 'R', 'A', 'P', 'N', 'E', 'L', 'C'};
constexpr uint64_t kVersion = 1;
constexpr uint64_t kMostBytes = uint64_t{64} << 20;

struct Header {
  char magic[8];
  uint64_t version;
  uint64_t key_size;
  uint64_t object_size;
  uint64_t checksum[2];
};
static_assert(sizeof(Header) == 48);

XXH128_hash_t hash_of(std::string_view bytes) { return XXH3_128bits(bytes.data(), bytes.size()); }

std::string file_name(std::string_view key) {
  const XXH128_hash_t hash = hash_of(key);
  char name[48];
  snprintf(name, sizeof name, "%016llx%016llx.o", static_cast<unsigned long long>(hash.high64),
           static_cast<unsigned long long>(hash.low64));
  return name;
}

Result<std::string> read_all(int fd, uint64_t size) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(fd, bytes.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::system("cannot read the compile cache", errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Error::system("cannot write to the compile cache", errno);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return ok_status();
}

/// Why a file or directory is not to be trusted; empty if it is.
std::string why_not_ours(const struct stat& info, bool is_directory) {
  if (is_directory ? !S_ISDIR(info.st_mode) : !S_ISREG(info.st_mode))
    return is_directory ? "it is no directory" : "it is no regular file";
  if (info.st_uid != ::geteuid())
    return "it belongs to user " + std::to_string(info.st_uid) + ", not to the effective user " +
           std::to_string(::geteuid());
  if (is_directory && (info.st_mode & 077) != 0)
    return "others may enter or write it (its mode must be 0700)";
  if (!is_directory && (info.st_mode & 022) != 0) return "others may write it";
  return {};
}

/// The object within a file's bytes; otherwise `problem` says what is wrong.
std::optional<std::string> unwrap(std::string_view file, std::string_view key,
                                  std::string& problem) {
  Header header;
  if (file.size() < sizeof header) {
    problem = "it is too short";
    return std::nullopt;
  }
  memcpy(&header, file.data(), sizeof header);
  const std::string_view content = file.substr(sizeof header);
  if (memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.version != kVersion) {
    problem = "it is of another version";
    return std::nullopt;
  }
  if (header.key_size > content.size() || header.object_size != content.size() - header.key_size) {
    problem = "it is cut off";
    return std::nullopt;
  }
  const XXH128_hash_t sum = hash_of(content);
  if (sum.low64 != header.checksum[0] || sum.high64 != header.checksum[1]) {
    problem = "its checksum is wrong";
    return std::nullopt;
  }
  if (content.substr(0, header.key_size) != key) return std::nullopt;  // two keys with one hash
  return std::string(content.substr(header.key_size));
}

std::string wrap(std::string_view key, std::string_view object) {
  Header header{};
  memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.key_size = key.size();
  header.object_size = object.size();
  std::string content(key);
  content += object;
  const XXH128_hash_t sum = hash_of(content);
  header.checksum[0] = sum.low64;
  header.checksum[1] = sum.high64;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + content;
}

}  // namespace

ObjectCache ObjectCache::open() {
  const char* base = ::getenv("XDG_CACHE_HOME");
  if (base != nullptr && base[0] == '/') {
    ::mkdir(base, 0700);
    return open_directory(std::string(base) + "/grapnel");
  }
  const char* home = ::getenv("HOME");
  if (home == nullptr || home[0] != '/') {
    ObjectCache none;
    none.problem_ = "neither XDG_CACHE_HOME nor HOME names a directory";
    return none;
  }
  const std::string parent = std::string(home) + "/.cache";
  ::mkdir(parent.c_str(), 0700);
  return open_directory(parent + "/grapnel");
}

ObjectCache ObjectCache::open_directory(const std::string& path) {
  ObjectCache cache;
  cache.path_ = path;
  if (path.empty()) {
    cache.problem_ = "no directory was given";
    return cache;
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    cache.problem_ = path + " cannot be made: " + strerror(errno);
    return cache;
  }
  UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info;
  if (!directory.valid() || ::fstat(directory.get(), &info) != 0) {
    cache.problem_ = path + " cannot be opened: " + strerror(errno);
    return cache;
  }
  if (std::string reason = why_not_ours(info, true); !reason.empty()) {
    cache.problem_ = path + " is not used: " + reason;
    return cache;
  }
  cache.directory_ = std::move(directory);
  return cache;
}

ObjectCache::Lookup ObjectCache::find(std::string_view key) const {
  Lookup lookup;
  if (!usable()) return lookup;
  const std::string name = file_name(key);
  const UniqueFd file(
      ::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) {
    if (errno != ENOENT) lookup.problem = path_ + "/" + name + ": " + strerror(errno);
    return lookup;
  }
  struct stat info;
  if (::fstat(file.get(), &info) != 0) return lookup;
  std::string problem = why_not_ours(info, false);
  if (problem.empty() && static_cast<uint64_t>(info.st_size) > kMostBytes)
    problem = "it is too large";
  if (problem.empty()) {
    auto bytes = read_all(file.get(), static_cast<uint64_t>(info.st_size));
    if (bytes.ok())
      lookup.object = unwrap(*bytes, key, problem);
    else
      problem = bytes.error().to_string();
  }
  if (!problem.empty())
    lookup.problem = "the entry " + path_ + "/" + name + " of the compile cache was unusable (" +
                     problem + "); compiled again";
  return lookup;
}

Status ObjectCache::store(std::string_view key, std::string_view object) const {
  if (!usable()) return ok_status();
  static std::atomic<unsigned> counter{0};
  const std::string name = file_name(key);
  const std::string temporary =
      name + "." + std::to_string(::getpid()) + "." + std::to_string(counter.fetch_add(1)) + ".new";
  UniqueFd file(::openat(directory_.get(), temporary.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid() && errno == EEXIST) {
    // Left behind by a process of this number that was killed.
    ::unlinkat(directory_.get(), temporary.c_str(), 0);
    file = UniqueFd(::openat(directory_.get(), temporary.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  }
  if (!file.valid()) return Error::system("cannot write to the compile cache " + path_, errno);
  Status status = write_all(file.get(), wrap(key, object));
  if (status.ok() &&
      ::renameat(directory_.get(), temporary.c_str(), directory_.get(), name.c_str()) != 0)
    status = Error::system("cannot write to the compile cache " + path_, errno);
  if (!status.ok()) ::unlinkat(directory_.get(), temporary.c_str(), 0);
  if (status.ok()) remove_old_entries();
  return status;
}

UniqueFd ObjectCache::lock() const {
  constexpr int kAttempts = 50;
  constexpr timespec kPause{0, 10'000'000};
  if (!usable()) return {};
  UniqueFd own(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int attempt = 0; own.valid() && attempt < kAttempts; attempt++) {
    if (::flock(own.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) break;
    ::nanosleep(&kPause, nullptr);
  }
  return own;
}

/// Costs one listing of the directory, after a compilation that cost a hundred times that.
void ObjectCache::remove_old_entries() const {
  // Not a dup of ours: the two would share one position in the listing.
  UniqueFd own(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own.valid()) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(own.get()), ::closedir);
  if (!listing) return;
  [[maybe_unused]] const int owned_by_listing = own.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(listing.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  if (names.size() <= kMostEntries) return;
  std::vector<std::pair<int64_t, std::string>> by_age;
  for (std::string& name : names) {
    struct stat info;
    if (::fstatat(directory_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
      by_age.emplace_back(info.st_mtime, std::move(name));
  }
  std::sort(by_age.begin(), by_age.end());
  for (size_t i = 0; i < by_age.size() / 2; i++)
    ::unlinkat(directory_.get(), by_age[i].second.c_str(), 0);
}

}  // namespace grapnel::lower
