// Watches that the file under a scan stays what it was when it was opened.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "source/source.h"

namespace grapnel::scan {

/// Takes a read lease where that is allowed: while it holds, the kernel lets nobody open the file
/// for writing or truncate it; who tries waits until the lease is given back, which poll() does at
/// once. Else the file's size and times are compared. A remote file is watched by its server, whose
/// last word counts. Used by one thread.
class FileWatch {
 public:
  explicit FileWatch(const source::Source& source);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  ~FileWatch();

  /// ErrorKind::changed if somebody had the file open for writing when the watch began.
  [[nodiscard]] Status refuse_writers() const;

  /// Gives the lease back if a writer waits for it. To be called some 100 times a second.
  void poll();

  /// Is the file what it was? ErrorKind::changed if it shrank, was replaced, deleted or written to.
  /// If it only grew: a warning, or with `error_if_grown` that error.
  Status check(bool error_if_grown, std::vector<std::string>& warnings);

  /// What vouches for the file until now.
  [[nodiscard]] source::Stability stability() const;

 private:
  enum class Lease : uint8_t { held, given_back, refused, writers };
  void release();

  const source::Source& source_;
  Lease lease_ = Lease::refused;
};

}  // namespace grapnel::scan
