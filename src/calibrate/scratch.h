// The data that a calibration works on, made by itself.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace grapnel::calibrate {

/// A file without a name: it goes when it is closed, however the process ends.
class ScratchFile {
 public:
  /// ErrorKind::io where the directory's file system has no unnamed files, or no room.
  static Result<ScratchFile> make(const std::string& directory, const std::string& content);
  [[nodiscard]] int get() const { return file_.get(); }
  [[nodiscard]] uint64_t size() const { return size_; }
  /// A path by which this process can open it again.
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

 private:
  ScratchFile(UniqueFd file, uint64_t size) : file_(std::move(file)), size_(size) {}
  UniqueFd file_;
  uint64_t size_;
};

/// Text like TPC-H's lineitem: 16 fields, '|' between them, no header. The same bytes each time.
std::string lineitem_text(uint64_t bytes);
extern const char* const kLineitemColumns;

/// Records of 24 bytes: BIGINT, INTEGER, INTEGER, BIGINT.
std::string fixed_records(uint64_t bytes);
extern const char* const kFixedColumns;

}  // namespace grapnel::calibrate
