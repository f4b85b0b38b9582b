#include "source/sample.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

#include "source/locate.h"

namespace grapnel::source {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view bytes;
  const char* what;
  const char* cure;
};

constexpr const char* kDecompress =
    "grapnel reads the bytes as they lie in the file: decompress it first";
constexpr const char* kNoText = "grapnel reads csv, lines and fixed records";
constexpr std::array kSignatures = {
    Signature{"\x1f\x8b"sv, "gzip data", kDecompress},
    Signature{"\x28\xb5\x2f\xfd"sv, "zstd data", kDecompress},
    Signature{"\xfd\x37\x7a\x58\x5a\x00"sv, "xz data", kDecompress},
    Signature{"\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59"sv, "bzip2 data", kDecompress},
    Signature{"\x04\x22\x4d\x18"sv, "lz4 data", kDecompress},
    Signature{"PK\x03\x04"sv, "a zip archive (or an office document)", kDecompress},
    Signature{"PAR1"sv, "a Parquet file", kNoText},
    Signature{"ARROW1\x00"sv, "an Arrow file", kNoText},
    Signature{"SQLite format 3\x00"sv, "an SQLite database", kNoText},
    Signature{"\x7f"
              "ELF"sv,
              "an ELF program", kNoText},
    Signature{"\xff\xfe"sv, "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"},
    Signature{"\xfe\xff"sv, "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"},
};

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

Result<std::string> read_bytes(const Source& source, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  GRAPNEL_TRY(const size_t got, read_at(source, offset, bytes.data(), size));
  bytes.resize(got);
  return bytes;
}

Result<Sample> read_sample(const Source& source, size_t size) {
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(size, source.data_end));
  // Without readahead: who reads the rest, and whether through the page cache, is not decided yet.
  // (Of no effect without a descriptor.)
  (void)posix_fadvise(source.file.get(), 0, 0, POSIX_FADV_RANDOM);
  // One byte more: content behind a size of 0 is a file made up as it is read.
  auto read = read_bytes(source, 0, wanted + 1);
  (void)posix_fadvise(source.file.get(), 0, 0, POSIX_FADV_NORMAL);
  GRAPNEL_TRY(std::string bytes, std::move(read));
  const size_t got = bytes.size();
  if (got < wanted || (source.data_end == 0 && got > 0)) {
    return Error{ErrorKind::data,
                 source.path + " says that it has " + std::to_string(source.data_end) +
                     " bytes, but reading " + (got < wanted ? "ends earlier" : "gives more"),
                 "files of /proc and /sys are made up as they are read: copy the content to an "
                 "ordinary file first"};
  }
  Sample sample;
  sample.bytes = std::move(bytes);
  sample.bytes.resize(wanted);
  sample.whole_file = wanted == source.data_end;
  return sample;
}

Status check_text(const Source& source, Sample& sample, bool nul_bytes_allowed) {
  const std::string_view bytes = sample.bytes;
  for (const Signature& signature : kSignatures) {
    if (bytes.substr(0, signature.bytes.size()) == signature.bytes)
      return Error{ErrorKind::data, source.path + " is " + signature.what + ", not text",
                   signature.cure};
  }
  if (const size_t nul = bytes.find('\0'); nul != std::string_view::npos && !nul_bytes_allowed) {
    return Error{ErrorKind::data, place(source, nul) + ": a NUL byte: this is no csv text",
                 "for binary records use fixed('" + source.path +
                     "', columns => '...'); UTF-16 text must be converted: iconv -t UTF-8"};
  }
  sample.text_begin =
      bytes.substr(0, kByteOrderMark.size()) == kByteOrderMark ? kByteOrderMark.size() : 0;
  return ok_status();
}

std::vector<SampleRecord> cut_sample(const Sample& sample, char quote, size_t limit) {
  Layout layout;
  layout.dialect.quote = quote;
  const bool last = sample.whole_file && limit >= sample.bytes.size();
  const std::string_view text = std::string_view(sample.bytes).substr(0, limit);
  std::vector<SampleRecord> records;
  for (size_t at = sample.text_begin; at < text.size();) {
    const auto record = next_record(layout, text.substr(at), last);
    if (!record) break;
    if (record->content_size > 0)
      records.push_back({text.substr(at, record->content_size), at, at + record->consumed});
    at += record->consumed;
  }
  return records;
}

}  // namespace grapnel::source
