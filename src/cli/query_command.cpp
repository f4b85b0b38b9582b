#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/number_text.h"
#include "cli/owned.h"
#include "cli/progress_line.h"
#include "cli/sql_text.h"
#include "cli/writers.h"

namespace grapnel::cli {
namespace {

api::Result<api::Connection> connect(const std::string& on) {
  return on.empty() ? api::Connection::embedded() : api::Connection::remote(on);
}

std::string read_standard_input() {
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

/// The one text column of EXPLAIN goes out as it is: a plan is to be read, not parsed.
class LinesWriter : public ResultWriter {
 public:
  explicit LinesWriter(Output& output) : output_(output) {}
  void begin(const ArrowSchema& schema) override { schema_ = &schema; }
  void add(const ArrowArray& batch) override {
    const auto columns = read_columns(*schema_, batch);
    for (int64_t row = 0; row < batch.length; row++) {
      for (const auto& column : columns) {
        if (!column.is_null(row)) column.append(row, output_.buffer());
      }
      output_.write("\n");
    }
  }
  void end() override {}

 private:
  Output& output_;
  const ArrowSchema* schema_ = nullptr;
};

bool is_explain(std::string_view sql) {
  constexpr std::string_view kExplain = "EXPLAIN";
  sql.remove_prefix(std::min(sql.find_first_not_of(" \t\r\n"), sql.size()));
  return sql.size() > kExplain.size() &&
         std::equal(kExplain.begin(), kExplain.end(), sql.begin(),
                    [](char a, char b) { return a == (b & ~0x20); });
}

/// Writes the whole result; the first error of the query or of standard output.
std::optional<api::Error> write_result(api::QueryResult& result, std::string_view sql,
                                       OutputFormat format, ProgressLine& progress) {
  Owned<ArrowSchema> schema;
  if (auto status = result.schema(&schema); !status) return status.error();
  Output output(STDOUT_FILENO);
  std::unique_ptr<ResultWriter> writer;
  if (format == OutputFormat::table && is_explain(sql)) {
    writer = std::make_unique<LinesWriter>(output);
  } else {
    writer = make_writer(format, output, terminal_size());
  }
  for (bool begun = false;;) {
    Owned<ArrowArray> batch;
    auto more = result.next(&batch);
    // Nothing is written before the first batch is there: most errors leave no half result.
    progress.erase();
    if (!more) {
      output.finish();
      return more.error();
    }
    if (!begun) writer->begin(schema);
    begun = true;
    if (!*more) break;
    writer->add(batch);
    if (output.failed()) break;
  }
  writer->end();
  return output.finish();
}

void print_statistics(const api::Statistics& statistics, const QueryCommand& command) {
  if (!command.quiet) {
    for (const auto& warning : statistics.warnings) {
      std::cerr << "grapnel: warning: " << warning << '\n';
    }
  }
  switch (command.statistics) {
    case StatisticsFormat::json:
      std::cerr << statistics.to_json() << '\n';
      return;
    case StatisticsFormat::text:
      std::cerr << statistics.to_text() << '\n';
      return;
    case StatisticsFormat::none:
      break;
  }
  if (!command.quiet && statistics.file_bytes > 0) std::cerr << summary_text(statistics) << '\n';
}

/// "'read'", or "'read' 88 %, 'direct' 12 %" where several did a good part.
std::string hooks_text(const api::Statistics& statistics) {
  uint64_t bytes = 0;
  for (const auto& hook : statistics.hooks) bytes += hook.bytes;
  std::string text;
  for (const auto& hook : statistics.hooks) {
    const uint64_t percent = bytes == 0 ? 0 : (hook.bytes * 100 + bytes / 2) / bytes;
    if (percent == 0 || percent == 100) continue;
    text += (text.empty() ? "'" : ", '") + hook.name + "' " + std::to_string(percent) + " %";
  }
  return text.empty() ? "'" + statistics.hook + "'" : text;
}

}  // namespace

std::string summary_text(const api::Statistics& statistics) {
  std::string text = std::to_string(statistics.selected_records) + " of " +
                     std::to_string(statistics.records) + " records";
  uint64_t bytes = statistics.stitched.bytes;
  for (const auto& hook : statistics.hooks) bytes += hook.bytes;
  if (bytes == 0) return text;
  text += ", " + bytes_text(static_cast<double>(bytes)) + " read by " + hooks_text(statistics);
  if (!statistics.program.empty()) text += " (" + statistics.program + ")";
  char time[64];
  std::snprintf(time, sizeof time, " in %.*f s", statistics.wall_seconds < 0.1 ? 4 : 2,
                statistics.wall_seconds);
  text += time;
  if (statistics.wall_seconds > 0) {
    text += ", " + bytes_text(static_cast<double>(bytes) / statistics.wall_seconds) + "/s";
  }
  return text;
}

int report(const api::Error& error, std::string_view sql) {
  std::cerr << "grapnel: " << error.to_string(sql) << '\n';
  switch (error.kind) {
    case api::ErrorKind::usage:
    case api::ErrorKind::refused:
      return kExitUsage;
    case api::ErrorKind::hook:
      return kExitHookCannot;
    case api::ErrorKind::cancelled:
      return kExitInterrupted;
    default:
      return kExitError;
  }
}

int run_query(const QueryCommand& command) {
  const std::string sql = command.sql == "-" ? read_standard_input() : command.sql;
  auto connection = connect(command.on);
  if (!connection) return report(connection.error());

  ProgressLine progress(!command.quiet);
  auto result = connection->execute(sql, command.options, &interrupt_token(), progress.function());
  if (!result) return report(result.error(), sql);

  std::optional<api::Error> error;
  {
    const Interruptible while_running;
    error = write_result(*result, sql, command.format, progress);
  }
  if (error) return report(*error, sql);
  print_statistics(result->statistics(), command);
  return kExitOk;
}

int run_schema(const SchemaCommand& command) {
  const std::string sql = describe_statement(command.file);
  auto connection = connect(command.on);
  if (!connection) return report(connection.error());
  auto result = connection->execute(sql);
  if (!result) return report(result.error(), sql);
  ProgressLine no_progress(false);
  if (const auto error = write_result(*result, sql, command.format, no_progress)) {
    return report(*error, sql);
  }
  std::cerr << "read as " << result->statistics().table << '\n';
  return kExitOk;
}

}  // namespace grapnel::cli
