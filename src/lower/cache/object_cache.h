// Compiled objects on disk, so that the compiler is opened once for each shape of query.
//
// Directory: $XDG_CACHE_HOME/grapnel, or $HOME/.cache/grapnel. It holds code that runs with our
// rights, so it must belong to the effective user with mode 0700; it and the files are opened
// without following links. One file for each object, named by the hash of its key:
//
//   "GRAPNELC" | format version | key size | object size | checksum of all behind it | key | object
//
// At most kMostEntries files: who stores one too many removes the older half, and with it what
// killed writers left behind.
//
// Files are written under another name and renamed: readers see a whole file or none, and of two
// writers the last wins (both wrote the same).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace grapnel::lower {

class ObjectCache {
 public:
  /// The cache of this user. Never fails: without a usable directory the cache is empty and stores
  /// nothing; problem() then says why.
  static ObjectCache open();
  /// In a given directory, which is made if it is not there (its parent must be). An empty path: no
  /// cache.
  static ObjectCache open_directory(const std::string& path);

  struct Lookup {
    std::optional<std::string> object;
    std::string problem;  ///< an entry was there and was unusable: what was wrong with it
  };
  [[nodiscard]] Lookup find(std::string_view key) const;
  static constexpr size_t kMostEntries = 2000;
  /// Errors: io. The caller may go on without.
  Status store(std::string_view key, std::string_view object) const;

  /// For who reads an entry, changes it and stores it again: others that ask wait, half a second at
  /// most, since whoever holds it may have been stopped; what they store then is not lost, but may
  /// overwrite. Given back when the descriptor closes. Invalid without a directory.
  [[nodiscard]] UniqueFd lock() const;

  [[nodiscard]] bool usable() const { return directory_.valid(); }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void remove_old_entries() const;
  UniqueFd directory_;
  std::string path_;
  std::string problem_;
};

}  // namespace grapnel::lower
