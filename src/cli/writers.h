// Results in the formats of the command line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/output.h"
#include "grapnel/grapnel.h"

namespace grapnel::cli {

/// Writes a result, batch after batch.
class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  /// Called once, first. The schema outlives the writer.
  virtual void begin(const ArrowSchema& schema) = 0;
  /// A batch of that schema; it lives until the call returns.
  virtual void add(const ArrowArray& batch) = 0;
  /// After the last batch.
  virtual void end() = 0;
};

struct TerminalSize {
  size_t columns = 0;  ///< 0: no terminal, nothing is cut
  size_t rows = 0;
};

/// The size of the terminal that standard output is, or zeroes.
TerminalSize terminal_size();

/// `output` must outlive the writer. `terminal` matters to tables only.
std::unique_ptr<ResultWriter> make_writer(OutputFormat format, Output& output,
                                          TerminalSize terminal);

/// A JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// The writers themselves; make_writer picks one.
std::unique_ptr<ResultWriter> make_csv_writer(Output& output);
std::unique_ptr<ResultWriter> make_json_writer(Output& output);
std::unique_ptr<ResultWriter> make_table_writer(Output& output, TerminalSize terminal);

/// One reader per column of `batch`.
std::vector<api::ColumnText> read_columns(const ArrowSchema& schema, const ArrowArray& batch);

}  // namespace grapnel::cli
