// A file as a table: which bytes are records, how a record is cut into fields, what their types
// are.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <forward_list>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "op/evaluate.h"
#include "op/type.h"
#include "source/csv_fields.h"
#include "source/file_stream.h"

namespace grapnel::source {

enum class Format : uint8_t { csv, lines, fixed };

struct Column {
  std::string name;
  op::Type type;
  /// The type is our guess from a sample, not the user's word: an integer or decimal that would
  /// have to be rounded to fit it is an error, where a declared type rounds as DuckDB does.
  bool sniffed = false;
};

/// How CSV text is cut. Fields are separated by `delimiter`; a field that begins with `quote` runs
/// to the closing quote, and a doubled quote inside stands for one. Records end with LF or CRLF
/// outside quotes. Empty field = NULL, quoted or not (as DuckDB reads it). Blank lines are skipped
/// (unless the table has one column: then a blank line is a NULL record, as in DuckDB).
///
/// A record's end is the first LF with an even number of quotes before it in the record, whatever
/// the quotes mean: so every reader cuts alike. A quote that opens no field and closes none
/// (csv_fields.h) is a data error of its record, found by RecordReader::check(); a fast form that
/// meets a quote anywhere but at a field's two ends hands the record to the exact form.
/// A CR that no LF follows is an ordinary byte.
struct Dialect {
  char delimiter = ',';
  char quote = '"';  ///< NUL: no quoting
  bool header = false;
  bool trailing_delimiter = false;  ///< each record ends with a delimiter that begins no column
};

/// Fields that no column of the query needs are not looked at. The last column's field must end
/// where the record ends (or its trailing delimiter stands): a record with more fields is an error
/// for queries that read that column.

/// Result of describing a file: all that a reader needs, fixed before the scan starts.
struct Layout {
  Format format = Format::csv;
  Dialect dialect;                      ///< csv
  std::vector<Column> columns;          ///< lines: line VARCHAR, line_offset BIGINT
  uint32_t record_bytes = 0;            ///< fixed: size of one record
  std::vector<uint32_t> field_offsets;  ///< fixed: offset of each column in the record
};

/// What the user asked for in FROM: a path and what was said about it. Absent = sniff.
struct TableRequest {
  std::string path;
  std::optional<Format> format;
  std::optional<char> delimiter;
  std::optional<char> quote;  ///< NUL: no quoting
  std::optional<bool> header;
  std::optional<std::vector<Column>> columns;
};

/// An open table. Immutable after open, shared by all workers.
struct Source {
  std::string path;                    ///< as the user wrote it, for messages
  UniqueFd file;                       ///< none if `remote` is there
  std::shared_ptr<RemoteFile> remote;  ///< the file lies on another machine
  FileIdentity identity;
  Layout layout;
  uint64_t data_begin = 0;  ///< first byte after BOM and header
  uint64_t data_end = 0;    ///< size at open
};

/// Opens a regular file for reading (O_NOATIME where allowed, never O_NONBLOCK) and describes it:
/// checks options, sniffs dialect, header and types from a sample of the first bytes, and sets
/// data_begin and data_end. `directory_fd` with `beneath`: the path is resolved by openat2
/// RESOLVE_BENEATH below that directory (server); otherwise relative to the working directory.
/// Errors: io, permission, usage (unknown suffix, bad option, with hint), data (binary file, ...).
/// `opened`, if given, is called with the descriptor before a byte is read; its error ends the
/// opening. `remote`, if given, opens the file instead, on another machine; the members before it
/// mean nothing then.
struct OpenOptions {
  int directory_fd = -1;
  bool beneath = false;
  std::function<Status(int)> opened{};
  std::function<Result<std::shared_ptr<RemoteFile>>(const std::string& path)> remote{};
};
Result<std::shared_ptr<const Source>> open_source(const TableRequest& request,
                                                  const OpenOptions& options);

/// Opens a file for its bytes alone: path, file, identity and data_end are there, no layout.
/// Errors: as open_source, without data.
Result<std::shared_ptr<const Source>> open_bytes(const std::string& path,
                                                 const OpenOptions& options);

/// Reads up to `size` bytes at `offset`, fewer only at the file's end; returns how many. Errors:
/// io; of a remote file also network and changed.
Result<size_t> read_at(const Source& source, uint64_t offset, char* into, size_t size);

/// Gives the bytes of [begin, end), as far as the file has them, to `take`, block by block in
/// order. For a remote file this is one request, where read_at() is one per call. Errors: as
/// read_at.
Status read_through(const Source& source, uint64_t begin, uint64_t end,
                    const std::function<void(std::string_view)>& take);

/// The file now; a remote one as it was when its last bytes came. Stability is not looked at.
/// Errors: io.
Result<FileState> look_at(const Source& source);

/// ErrorKind::changed: "PATH `how` during the query; there is no result".
Error file_changed(const std::string& path, const std::string& how);
/// For file_changed(): a file whose name is gone, or names another one.
inline constexpr char kReplaced[] = "was replaced or deleted";

/// State of the byte before a record boundary search: whether it lies inside a quoted field.
enum class QuoteState : uint8_t { outside, inside };

/// Finds the ends of records, plain and exact.
struct RecordEnd {
  size_t content_size;  ///< bytes of the record without its line end
  size_t consumed;      ///< content and line end
};
/// Next record of `data`, which starts at a record's start. Empty: no complete record (needs more
/// bytes). With `last`, the end of data ends the record too (content of no bytes at the end is
/// none).
std::optional<RecordEnd> next_record(const Layout& layout, std::string_view data, bool last);

/// True if a record of no bytes is a blank line to be skipped: csv with more than one column.
inline bool skips_blank_records(const Layout& layout) {
  return layout.format == Format::csv && layout.columns.size() > 1;
}

/// Where the first record starts that begins after `data`'s first byte position, i.e. the offset
/// just after the first record end, given the quote state at data[0]. Empty: none in these bytes;
/// then
/// `*state_at_end` (if given) is the state after the last byte. fixed: data[0] is a record's start,
/// so extents of fixed files are cut at data_begin + n * record_bytes.
std::optional<size_t> find_record_start(const Layout& layout, std::string_view data,
                                        QuoteState state, QuoteState* state_at_end = nullptr);

/// Guesses whether data[0] lies inside quotes, from the places where quotes stand: an opening quote
/// follows a delimiter or a line end, a closing one is followed by one. Never wrong silently: the
/// scan verifies every guess.
QuoteState guess_quote_state(const Layout& layout, std::string_view data);

/// The error of a record that is longer than limits::kRecordBytes, with its likely cause.
Error record_too_long(const Source& source, uint64_t file_offset);

/// One record's fields, loaded on demand. Not thread-safe; one per worker.
class RecordReader : public op::ValueSource {
 public:
  explicit RecordReader(const Source& source) : source_(source) {}
  /// Points at a record: its bytes without the line end, and its offset in the file. The bytes must
  /// live until the next call.
  void set_record(std::string_view bytes, uint64_t file_offset);
  /// True for a blank line that is no record of this table.
  [[nodiscard]] bool is_blank() const {
    return record_.empty() && skips_blank_records(source_.layout);
  }
  /// Verifies what must hold even if no field is loaded: that quotes stand where they may, and the
  /// record's length. Errors: data, limit. load() does it too.
  Status check();
  /// Converts field `index`. Errors (ErrorKind::data) name file, line, byte offset, column, text
  /// and the cure; the line number is counted only then. Text is borrowed until the next
  /// set_record().
  Result<op::Datum> load(uint32_t index) override;

 private:
  Result<op::Datum> load_csv(uint32_t index);
  Result<op::Datum> load_fixed(uint32_t index) const;
  Status split_until(uint32_t index);
  [[nodiscard]] bool ends_here(uint32_t index) const;
  std::string_view unquoted(uint32_t index);
  [[nodiscard]] Error value_error(uint32_t index, std::string_view text, std::string what) const;

  const Source& source_;
  std::string_view record_;
  uint64_t file_offset_ = 0;
  bool checked_ = false;
  size_t next_field_begin_ = 0;    ///< where the field after fields_.back() begins
  bool record_exhausted_ = false;  ///< fields_ holds all fields
  std::vector<CsvField> fields_;   ///< those split so far
  struct Unescaped {
    uint32_t field;
    std::string text;
  };
  /// Of this record. Loaded values point into them, so they stay where they are.
  std::forward_list<Unescaped> unescaped_;
};

/// What was found out about a file, as FROM takes it, in one line:
/// csv('path', delim => ..., quote => ..., header => ..., columns => '...').
std::string table_expression(const Source& source);

/// The same for reading and changing: a comment line (format, size), then the expression with one
/// column per line, which can be pasted as it stands.
std::string describe(const Source& source);

}  // namespace grapnel::source
