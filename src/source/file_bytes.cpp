// The bytes and the state of an open file, wherever it lies.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "source/open_file.h"
#include "source/source.h"

namespace grapnel::source {
namespace {

constexpr size_t kBlockBytes = 256 << 10;

Error cannot_read(const Source& source, uint64_t offset, int error_number) {
  return Error::system("cannot read " + source.path + " at byte " + std::to_string(offset),
                       error_number, "look for device or network errors with dmesg");
}

Status remote_through(const Source& source, uint64_t begin, uint64_t end,
                      const std::function<void(std::string_view)>& take) {
  GRAPNEL_TRY(const auto stream, source.remote->stream(begin, end));
  for (;;) {
    GRAPNEL_TRY(const FileChunk chunk, stream->next());
    if (chunk.bytes.empty()) return ok_status();
    take(chunk.bytes);
  }
}

Result<size_t> local_read(const Source& source, uint64_t offset, char* into, size_t size) {
  size_t got = 0;
  while (got < size) {
    const ssize_t more =
        pread(source.file.get(), into + got, size - got, static_cast<off_t>(offset + got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return cannot_read(source, offset + got, errno);
    if (more == 0) break;
    got += static_cast<size_t>(more);
  }
  return got;
}

}  // namespace

std::string_view to_string(Stability stability) {
  switch (stability) {
    case Stability::leased:
      return "leased";
    case Stability::checked:
      return "checked";
    case Stability::writers:
      return "open for writing";
  }
  return {};
}

Result<size_t> read_at(const Source& source, uint64_t offset, char* into, size_t size) {
  if (!source.remote) return local_read(source, offset, into, size);
  size_t got = 0;
  GRAPNEL_CHECK(remote_through(source, offset, offset + size, [&](std::string_view bytes) {
    const size_t more = std::min(bytes.size(), size - got);
    std::memcpy(into + got, bytes.data(), more);
    got += more;
  }));
  return got;
}

Status read_through(const Source& source, uint64_t begin, uint64_t end,
                    const std::function<void(std::string_view)>& take) {
  if (source.remote) return remote_through(source, begin, end, take);
  std::vector<char> block(kBlockBytes);
  while (begin < end) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(block.size(), end - begin));
    GRAPNEL_TRY(const size_t got, local_read(source, begin, block.data(), wanted));
    if (got == 0) break;
    take({block.data(), got});
    begin += got;
  }
  return ok_status();
}

Result<FileState> look_at(const Source& source) {
  if (source.remote) return source.remote->last_state();
  struct stat now = {};
  if (fstat(source.file.get(), &now) != 0) {
    return Error::system("cannot look at " + source.path, errno);
  }
  return FileState{identity_of(now), now.st_nlink, Stability::checked};
}

Error file_changed(const std::string& path, const std::string& how) {
  return {ErrorKind::changed, path + " " + how + " during the query; there is no result",
          "run the query again when nobody writes to the file, or on a copy or snapshot"};
}

}  // namespace grapnel::source
