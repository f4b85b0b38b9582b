// A program that has grapnel inside: no server, no Arrow library, no privileges.
//
//   embedded "SELECT ... FROM 'file.csv' ..."     prints the rows, then what it took
//
// Build it with the include directory `include/` and the static library target grapnel::api.
#include <cstdio>
#include <string>

#include "grapnel/grapnel.h"

namespace {

using grapnel::api::ColumnText;
using grapnel::api::Connection;
using grapnel::api::Error;
using grapnel::api::QueryResult;

int fail(const Error& error, const std::string& sql) {
  std::fprintf(stderr, "%s\n", error.to_string(sql).c_str());
  return 1;
}

void print_row(const ArrowSchema& schema, const ArrowArray& batch, int64_t row) {
  std::string line;
  for (int64_t i = 0; i < batch.n_children; i++) {
    if (i > 0) line += '\t';
    const ColumnText column(*schema.children[i], *batch.children[i]);
    if (column.is_null(row)) {
      line += "NULL";
    } else {
      column.append(row, line);
    }
  }
  std::printf("%s\n", line.c_str());
}

/// The Arrow C stream is what any Arrow library, DuckDB or pandas could take over instead.
int print_rows(QueryResult& result, const std::string& sql) {
  ArrowArrayStream stream;
  result.export_stream(&stream);
  ArrowSchema schema;
  if (stream.get_schema(&stream, &schema) != 0) {
    stream.release(&stream);
    return fail(*result.error(), sql);
  }
  int status = 0;
  for (;;) {
    ArrowArray batch;
    if (stream.get_next(&stream, &batch) != 0) {
      status = fail(*result.error(), sql);
      break;
    }
    if (batch.release == nullptr) break;  // the end
    for (int64_t row = 0; row < batch.length; row++) print_row(schema, batch, row);
    batch.release(&batch);
  }
  schema.release(&schema);
  stream.release(&stream);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: embedded \"SELECT ... FROM 'file.csv'\"\n");
    return 2;
  }
  const std::string sql = argv[1];
  auto connection = Connection::embedded();
  if (!connection) return fail(connection.error(), sql);

  grapnel::api::QueryOptions options;
  options.threads = 2;
  auto result = connection->execute(sql, options);
  if (!result) return fail(result.error(), sql);
  if (const int status = print_rows(*result, sql); status != 0) return status;

  const auto statistics = result->statistics();
  std::fprintf(stderr, "%llu of %llu records, hook %s\n",
               static_cast<unsigned long long>(statistics.selected_records),
               static_cast<unsigned long long>(statistics.records), statistics.hook.c_str());
  return 0;
}
