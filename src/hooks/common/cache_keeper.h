// Puts the page cache back as it was, as far as that can be done: for who wants to leave no trace.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace grapnel::hooks {

/// Remembers which pages of a file are not in the page cache, and takes them out again if they have
/// got there. Others' pages are never evicted: what was cached before stays. Used by one thread.
class CacheKeeper {
 public:
  /// Looks at the whole file: one question to the kernel, and some more for each border between
  /// what is cached and what is not. `file` is duplicated. ErrorKind::hook where cachestat(2) is
  /// refused or missing: nothing else tells the truth without touching pages.
  static Result<std::unique_ptr<CacheKeeper>> open(int file);
  ~CacheKeeper() { restore(); }
  CacheKeeper(const CacheKeeper&) = delete;
  CacheKeeper& operator=(const CacheKeeper&) = delete;

  /// Takes out what has come. Asks again for what was read ahead and is still on its way from the
  /// device, for 0.1 s in all; what comes later stays, and so do pages that others use or have
  /// written.
  void restore() const;
  /// Bytes in pages that were not cached at first and are now.
  [[nodiscard]] uint64_t added_bytes() const;

 private:
  struct Range {
    uint64_t begin;
    uint64_t end;
  };
  explicit CacheKeeper(UniqueFd file) : file_(std::move(file)) {}
  bool look(uint64_t begin, uint64_t end);

  UniqueFd file_;
  std::vector<Range> absent_;  ///< whole pages
  size_t questions_ = 0;
};

}  // namespace grapnel::hooks
