// Processes put together and named the way the user asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "grapnel/watch.h"
#include "watch/board_reader.h"

namespace grapnel::watch {

/// Used by one thread.
class ReaderNames {
 public:
  /// ErrorKind::hook if readers cannot be named so here: no cgroup v2 is mounted.
  static Result<ReaderNames> open(api::ReadersBy by);

  /// Put together by name, most bytes first.
  std::vector<api::WatchReader> summed(const std::vector<ReaderCounts>& counts);

 private:
  explicit ReaderNames(api::ReadersBy by) : by_(by) {}
  void learn_cgroups(const std::vector<ReaderCounts>& counts);
  [[nodiscard]] std::string name_of(const ReaderCounts& count) const;

  api::ReadersBy by_;
  std::filesystem::path cgroup_root_;  ///< of the one hierarchy of cgroup v2
  /// Paths by id, which is the inode number of a cgroup's directory; empty: it was gone when it was
  /// looked for. Ids do not come again.
  std::map<uint64_t, std::string> cgroups_;
};

}  // namespace grapnel::watch
