#include "hooks/kernel/handed_out.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/limits.h"
#include "hooks/common/user_space.h"
#include "lower/bpf/worker.h"

namespace grapnel::hooks::kernel {
namespace {

std::string_view without_cr(std::string_view record) {
  if (!record.empty() && record.back() == '\r') record.remove_suffix(1);
  return record;
}

}  // namespace

Status copy_bytes(const source::Source& source, uint64_t begin, uint64_t end, std::string& to,
                  HookCounters& counters) {
  const size_t before = to.size();
  to.resize(before + (end - begin));
  for (uint64_t at = begin; at < end;) {
    char* into = to.data() + before + (at - begin);
    const ssize_t got = pread(source.file.get(), into, end - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return Error::system("cannot read " + source.path + " at byte " + std::to_string(at), errno,
                           "look for device or network errors with dmesg");
    }
    if (got == 0) return missing_bytes(source, at);
    at += static_cast<uint64_t>(got);
  }
  counters.bytes_copied += end - begin;
  return ok_status();
}

HandedOutRecords::HandedOutRecords(std::shared_ptr<const program::Job> job)
    : job_(job), runner_(std::move(job)) {}

Result<uint64_t> HandedOutRecords::run(std::string_view out, ExtentResult& result) {
  HookCounters& counters = result.counters;
  uint64_t count = 0;
  for (size_t at = 0; at < out.size(); count++) {
    const auto& entry = *reinterpret_cast<const gr_out*>(out.data() + at);
    at += sizeof entry;
    std::string long_record;
    std::string_view record;
    if (entry.kind == GR_OUT_LONG) {
      if (entry.bytes > limits::kRecordBytes)
        return source::record_too_long(*job_->source, entry.file_offset);
      GRAPNEL_CHECK(copy_bytes(*job_->source, entry.file_offset, entry.file_offset + entry.bytes,
                               long_record, counters));
      record = without_cr(long_record);
    } else {
      record = out.substr(at, entry.bytes);
      at += (entry.bytes + size_t{7}) & ~size_t{7};
      counters.bytes_copied += entry.bytes;
    }
    if (entry.kind != GR_OUT_SELECTED) {
      counters.escapes++;
      counters.escape_bytes += entry.bytes;
    }
    GRAPNEL_CHECK(runner_.run(record, entry.file_offset, result.partial));
  }
  return count;
}

}  // namespace grapnel::hooks::kernel
