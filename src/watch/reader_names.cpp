#include "watch/reader_names.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
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

/// The paths of these cgroups, by id: the inode number of a cgroup's directory.
std::map<uint64_t, std::string> find_cgroups(const std::vector<ReaderCounts>& counts) {
  std::map<uint64_t, std::string> names;
  for (const ReaderCounts& count : counts) names[count.cgroup];
  const auto root = find_cgroup2();
  if (!root) return names;
  size_t unnamed = names.size();
  const auto name = [&](const fs::path& path) {
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0) return;
    const auto wanted = names.find(about.st_ino);
    if (wanted == names.end() || !wanted->second.empty()) return;
    wanted->second = "/" + (path == *root ? "" : path.lexically_relative(*root).string());
    unnamed--;
  };
  name(*root);
  std::error_code error;
  size_t looked_at = 0;
  for (fs::recursive_directory_iterator at(*root, error), end;
       !error && at != end && unnamed > 0 && looked_at < kMostCgroups; at.increment(error)) {
    std::error_code gone;
    if (!at->is_directory(gone)) continue;
    name(at->path());
    looked_at++;
  }
  return names;
}

std::string number_text(const ReaderCounts& count) {
  if (count.process != 0) return std::to_string(count.process);
  return "outside";  // in a PID namespace that we do not see into
}

std::string name_of(const ReaderCounts& count, api::ReadersBy by,
                    const std::map<uint64_t, std::string>& cgroups) {
  if (by == api::ReadersBy::cgroup) {
    const std::string& path = cgroups.at(count.cgroup);
    return path.empty() ? "cgroup " + std::to_string(count.cgroup) + " (gone)" : path;
  }
  if (by == api::ReadersBy::comm)
    return count.kernel_thread ? "kernel (" + count.comm + ")" : count.comm;
  return number_text(count);
}

}  // namespace

Status check_reader_names(api::ReadersBy by) {
  if (by != api::ReadersBy::cgroup || find_cgroup2()) return ok_status();
  return Error{ErrorKind::hook, "--by cgroup: no cgroup v2 hierarchy is mounted here",
               "mount -t cgroup2 none DIR, or use --by pid or --by comm"};
}

std::vector<api::WatchReader> summed_readers(const std::vector<ReaderCounts>& counts, uint32_t file,
                                             api::ReadersBy by) {
  std::map<uint64_t, std::string> cgroups;
  if (by == api::ReadersBy::cgroup) cgroups = find_cgroups(counts);
  std::map<std::pair<std::string, uint64_t>, api::WatchReader> sums;
  for (const ReaderCounts& count : counts) {
    if (count.file != file) continue;
    const bool by_process = by == api::ReadersBy::pid;
    const std::string name = name_of(count, by, cgroups);
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
