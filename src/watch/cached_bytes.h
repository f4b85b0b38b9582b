// Reads what the page cache has of a file, and adds no I/O: pages that are not there are not asked
// for.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "source/source.h"

namespace grapnel::watch {

/// By a mapping with MADV_RANDOM, not by preadv2(RWF_NOWAIT): that takes part in readahead (where
/// it meets the mark that earlier readahead has left in a page it reads on from there), and makes
/// pages look used. A fault of such a mapping does neither. Between the question what is cached and
/// the copy the kernel may take pages away: the first that is met is read again, and ends the copy.
///
/// Used by one thread.
class CachedBytes {
 public:
  /// `source` outlives it. Errors: permission (the kernel would not tell this user what is cached),
  /// hook (the file cannot be mapped).
  static Result<CachedBytes> open(const source::Source& source);
  CachedBytes(CachedBytes&& other) noexcept;
  CachedBytes& operator=(CachedBytes&&) = delete;
  CachedBytes(const CachedBytes&) = delete;
  CachedBytes& operator=(const CachedBytes&) = delete;
  ~CachedBytes();

  /// One byte per page of [first, first + count): 1 if it is in the page cache with valid content.
  /// Pages must lie in the file; at most kMostPages, not across kWindowBytes.
  Result<const std::vector<unsigned char>*> look(uint64_t first, uint64_t count);
  /// Copies bytes [begin, end), which lie in pages of the last look(), `begin` at a page. Returns
  /// how many: fewer, up to a page's end, where pages have gone since, and 0 where the file was
  /// cut.
  uint64_t copy(uint64_t begin, uint64_t end, char* to);

  static constexpr uint64_t kMostPages = 256;
  static constexpr uint64_t kWindowBytes = 64 << 20;  ///< mapped at a time, at its multiples

 private:
  explicit CachedBytes(const source::Source& source) : source_(&source) {}
  Status map_window(uint64_t number);
  void unmap();

  const source::Source* source_;
  char* window_ = nullptr;
  uint64_t window_begin_ = 0;
  size_t window_bytes_ = 0;
  std::vector<unsigned char> resident_;
};

}  // namespace grapnel::watch
