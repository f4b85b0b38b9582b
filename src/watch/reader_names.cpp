#include "watch/reader_names.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>

namespace grapnel::watch {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostCgroups = 100'000;  ///< looked through

/// Where the one hierarchy of cgroup v2 is mounted.
std::optional<fs::path> find_cgroup2() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string device;
    std::string place;
    std::string type;
    fields >> device >> place >> type;
    if (type == "cgroup2") return place;
  }
  return std::nullopt;
}

std::string number_text(const ReaderCounts& count) {
  if (count.process != 0) return std::to_string(count.process);
  return "outside";  // in a PID namespace that we do not see into
}

}  // namespace

Result<ReaderNames> ReaderNames::open(api::ReadersBy by) {
  ReaderNames names(by);
  if (by != api::ReadersBy::cgroup) return names;
  auto root = find_cgroup2();
  if (!root) {
    return Error{ErrorKind::hook, "--by cgroup: no cgroup v2 hierarchy is mounted here",
                 "mount -t cgroup2 none DIR, or use --by pid or --by comm"};
  }
  names.cgroup_root_ = *std::move(root);
  return names;
}

// Walks through the hierarchy once for all that are new.
void ReaderNames::learn_cgroups(const std::vector<ReaderCounts>& counts) {
  std::set<uint64_t> wanted;
  for (const ReaderCounts& count : counts)
    if (cgroups_.try_emplace(count.cgroup).second) wanted.insert(count.cgroup);
  const auto look_at = [&](const fs::path& path) {
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0 || wanted.erase(about.st_ino) == 0) return;
    cgroups_[about.st_ino] =
        "/" + (path == cgroup_root_ ? "" : path.lexically_relative(cgroup_root_).string());
  };
  if (wanted.empty()) return;
  look_at(cgroup_root_);
  std::error_code error;
  size_t looked_at = 0;
  for (fs::recursive_directory_iterator at(cgroup_root_, error), end;
       !error && at != end && !wanted.empty() && looked_at < kMostCgroups; at.increment(error)) {
    std::error_code gone;
    if (!at->is_directory(gone)) continue;
    look_at(at->path());
    looked_at++;
  }
}

std::string ReaderNames::name_of(const ReaderCounts& count) const {
  if (by_ == api::ReadersBy::cgroup) {
    const std::string& path = cgroups_.at(count.cgroup);
    return path.empty() ? "cgroup " + std::to_string(count.cgroup) + " (gone)" : path;
  }
  if (by_ == api::ReadersBy::comm)
    return count.kernel_thread ? "kernel (" + count.comm + ")" : count.comm;
  return number_text(count);
}

std::vector<api::WatchReader> ReaderNames::summed(const std::vector<ReaderCounts>& counts) {
  if (by_ == api::ReadersBy::cgroup) learn_cgroups(counts);
  std::map<std::pair<std::string, uint64_t>, api::WatchReader> sums;
  for (const ReaderCounts& count : counts) {
    const bool by_process = by_ == api::ReadersBy::pid;
    const std::string name = name_of(count);
    api::WatchReader& sum = sums[{name, by_process ? count.started_ns : 0}];
    sum.name = name;
    if (by_process) {
      sum.process = count.process;
      sum.started_seconds = static_cast<double>(count.started_ns) * 1e-9;
      sum.comm = count.kernel_thread ? "kernel (" + count.comm + ")" : count.comm;
    }
    sum.asked_bytes += count.asked_bytes;
    sum.first_bytes += count.first_bytes;
    sum.caused_bytes += count.caused_bytes;
  }
  std::vector<api::WatchReader> readers;
  readers.reserve(sums.size());
  for (auto& [key, sum] : sums) readers.push_back(std::move(sum));
  std::stable_sort(readers.begin(), readers.end(), [](const auto& a, const auto& b) {
    return std::max(a.asked_bytes, a.caused_bytes) > std::max(b.asked_bytes, b.caused_bytes);
  });
  return readers;
}

}  // namespace grapnel::watch
