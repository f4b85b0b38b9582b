// Queries as text, run by a hook in the kernel and by the interpreter.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "hooks/hook.h"
#include "program/program.h"
#include "scan/scan.h"

namespace grapnel::bpf_test {

/// A directory of its own, removed at the end.
class Directory {
 public:
  Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory();
  /// Writes a file and returns its path.
  [[nodiscard]] std::string write(std::string_view name, std::string_view content) const;

 private:
  std::string path_;
};

/// The query bound to its file. Fails the test and returns nullptr if it is refused.
std::shared_ptr<const program::Job> job_of(const std::string& sql);

struct Answer {
  std::string text;  ///< rows, or groups in the order of their first record; or "error: ..."
  bool failed = false;
  ErrorKind error_kind = ErrorKind::internal;
  hooks::HookCounters counters;  ///< of the hook that was asked for
};

struct RunOptions {
  std::string_view hook = {};  ///< empty: the one that is tested
  unsigned threads = 1;
  uint64_t extent_bytes = 0;
};

/// Runs the job with one hook, strictly, and the interpreter for what user space has to do.
Answer run(const std::shared_ptr<const program::Job>& job, const RunOptions& options = {});

/// Expects the tested hook and the interpreter (by the read hook) to agree. Returns the hook's
/// answer.
Answer expect_same(const std::string& sql, const RunOptions& options = {});

/// Tests of one hook in the kernel, named by the parameter. Skipped where the user is not root;
/// root without BPF is a failure.
class KernelHookTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override;
  static hooks::Hook& hook() { return *hooks::find_hook(GetParam()); }
  Directory directory_;
};

}  // namespace grapnel::bpf_test
