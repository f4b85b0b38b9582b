// The first bytes of a file, from which its form is found out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/source.h"

namespace grapnel::source {

struct Sample {
  std::string bytes;
  size_t text_begin = 0;  ///< after a byte order mark
  bool whole_file = false;
};

struct SampleRecord {
  std::string_view bytes;
  uint64_t offset = 0;      ///< in the file
  uint64_t end_offset = 0;  ///< after its line end
};

/// Reads at most `size` bytes from the file's start. Errors: io; data if the file gives fewer bytes
/// than its size says (a file of /proc or /sys, or one that is being truncated).
Result<Sample> read_sample(const Source& source, size_t size);

/// Bytes [offset, offset + size) of the file, fewer at its end. Errors: io.
Result<std::string> read_bytes(const Source& source, uint64_t offset, size_t size);

/// Refuses what is no text: known compressed and binary formats, UTF-16, and, unless
/// `nul_bytes_allowed`, NUL bytes. Finds the byte order mark of UTF-8.
Status check_text(const Source& source, Sample& sample, bool nul_bytes_allowed);

/// Whole records of the sample's first `limit` bytes, blank ones left out.
std::vector<SampleRecord> cut_sample(const Sample& sample, char quote, size_t limit);

}  // namespace grapnel::source
