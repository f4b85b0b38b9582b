// Records that a program in the kernel has handed out, done by the exact form.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hooks/hook.h"
#include "program/interpreter.h"

namespace grapnel::hooks::kernel {

/// Bytes [begin, end) of the file by pread, appended to `to`. Errors: io, changed.
Status copy_bytes(const source::Source& source, uint64_t begin, uint64_t end, std::string& to,
                  HookCounters& counters);

/// One per worker thread.
class HandedOutRecords {
 public:
  explicit HandedOutRecords(std::shared_ptr<const program::Job> job);

  /// Does the records in `out`, the bytes in use of an out area (lower/bpf/worker.h): adds them to
  /// the partial of `result`, and escapes and copied bytes to its counters. Returns how many they
  /// are. Errors: data, limit, io.
  Result<uint64_t> run(std::string_view out, ExtentResult& result);

  program::RecordRunner& runner() { return runner_; }

 private:
  std::shared_ptr<const program::Job> job_;
  program::RecordRunner runner_;
};

}  // namespace grapnel::hooks::kernel
