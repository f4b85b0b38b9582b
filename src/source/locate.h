// Where in the file something is wrong, for messages. Costs I/O; used only when an error is made.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "source/csv_fields.h"
#include "source/source.h"

namespace grapnel::source {

/// While one lives, messages that this thread makes name no line: for errors that nobody will see,
/// since counting lines reads the file up to there.
class NoLineNumbers {
 public:
  NoLineNumbers();
  ~NoLineNumbers();
  NoLineNumbers(const NoLineNumbers&) = delete;
  NoLineNumbers& operator=(const NoLineNumbers&) = delete;
};

/// 1-based number of the line that holds the byte at `offset`, counted by reading the file through
/// its descriptor. Empty beyond 16 GiB (it would take too long), when reading fails, or
/// under NoLineNumbers.
std::optional<uint64_t> line_number(const Source& source, uint64_t offset);

/// "lineitem.csv, line 17, byte offset 2034"; fixed: "data.bin, record 12, byte offset 480".
std::string place(const Source& source, uint64_t offset);

/// The error of a record at `offset` whose quotes are wrong.
Error quote_error(const Source& source, uint64_t offset, std::string_view record,
                  const QuoteFault& fault);

/// `text` in single quotes, control characters and stray bytes escaped (\n, \x00), cut to
/// `max_bytes` of input with "..." and the full size.
std::string printable(std::string_view text, size_t max_bytes = 60);

}  // namespace grapnel::source
