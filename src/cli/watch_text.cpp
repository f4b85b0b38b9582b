#include "cli/watch_text.h"

#include <algorithm>
#include <functional>
#include <memory>

#include "cli/json_object.h"
#include "cli/number_text.h"
#include "cli/owned.h"
#include "cli/text_width.h"
#include "cli/writers.h"

namespace grapnel::cli {
namespace {

std::string share_text(uint64_t part, uint64_t whole) {
  if (whole == 0) return "100 %";
  // Not all is never "100 %".
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return part < whole ? formatted("%.1f %%", std::min(percent, 99.9)) : "100 %";
}

/// Calls `row(schema, columns, number)` for each row. False if there is no answer now.
bool for_each_row(const api::Watch& watch, size_t statement,
                  const std::function<void(const ArrowSchema&, const std::vector<api::ColumnText>&,
                                           int64_t)>& row) {
  Owned<ArrowArrayStream> answer;
  if (!watch.answer(statement, &answer)) return false;
  Owned<ArrowSchema> schema;
  if (answer.get_schema(&answer, &schema) != 0) return false;
  for (;;) {
    Owned<ArrowArray> batch;
    if (answer.get_next(&answer, &batch) != 0) return false;
    if (batch.release == nullptr) return true;
    const auto columns = read_columns(schema, batch);
    for (int64_t i = 0; i < batch.length; i++) row(schema, columns, i);
  }
}

std::string value_text(const api::ColumnText& column, int64_t row) {
  if (column.is_null(row)) return "NULL";
  std::string text;
  column.append(row, text);
  return text;
}

std::string ranges_text(const std::vector<api::ByteRange>& ranges) {
  std::string text = "[";
  for (const auto& range : ranges) {
    if (text.size() > 1) text += ", ";
    text += "[" + std::to_string(range.begin) + ", " + std::to_string(range.end) + "]";
  }
  return text + "]";
}

/// Values as text: they keep all their digits so.
std::string rows_json(const api::Watch& watch, size_t statement) {
  std::string json = "[";
  const bool there = for_each_row(
      watch, statement,
      [&](const ArrowSchema&, const std::vector<api::ColumnText>& columns, int64_t row) {
        json += json.size() > 1 ? ", [" : "[";
        for (const api::ColumnText& column : columns) {
          if (&column != columns.data()) json += ", ";
          if (column.is_null(row)) {
            json += "null";
          } else {
            append_json_string(json, value_text(column, row));
          }
        }
        json += "]";
      });
  return there ? json + "]" : "null";
}

std::string reader_json(const api::WatchReader& reader) {
  JsonObject json;
  json.text("name", reader.name);
  if (!reader.comm.empty()) {
    json.number("pid", reader.process)
        .real("started_seconds", reader.started_seconds)
        .text("comm", reader.comm);
  }
  return json.number("asked_bytes", reader.asked_bytes)
      .number("first_bytes", reader.first_bytes)
      .number("caused_bytes", reader.caused_bytes)
      .end();
}

std::string readers_json(const std::vector<api::WatchReader>& readers) {
  std::string json = "[";
  for (const auto& reader : readers) {
    if (json.size() > 1) json += ", ";
    json += reader_json(reader);
  }
  return json + "]";
}

std::string places_json(const api::WatchState& state) {
  std::string json = "[";
  for (const auto& place : state.places) {
    if (json.size() > 1) json += ", ";
    json += JsonObject().text("where", place.where).text("refusal", place.refusal).end();
  }
  return json + "]";
}

std::string reader_text(const api::WatchReader& reader) {
  std::string text = printable(reader.name);
  if (!reader.comm.empty()) text += " " + printable(reader.comm);
  return text + ": asked for " + bytes_text(static_cast<double>(reader.asked_bytes)) +
         ", first to touch " + bytes_text(static_cast<double>(reader.first_bytes)) +
         ", caused from the device " + bytes_text(static_cast<double>(reader.caused_bytes));
}

constexpr size_t kReadersShown = 20;

std::string why_not_all(const api::WatchedStatement& statement) {
  std::string text;
  const auto add = [&text](uint64_t bytes, const char* what) {
    if (bytes > 0)
      text += "\n  not counted: " + bytes_text(static_cast<double>(bytes)) + " " + what;
  };
  add(statement.unknown_bytes,
      "seen, but it is not known whether they lie inside quotes (csv(..., quote => '') says that "
      "there are none)");
  if (statement.gone_bytes > 0) {
    text += "\n  pages that had left the page cache when they were to be computed: " +
            bytes_text(static_cast<double>(statement.gone_bytes)) + " (each time counted)";
  }
  if (statement.direct_bytes > 0) {
    text += "\n  read by O_DIRECT, past the page cache: " +
            bytes_text(static_cast<double>(statement.direct_bytes));
  }
  return text;
}

}  // namespace

std::string live_text(const api::WatchState& state, const std::string& answer) {
  uint64_t counted = 0;
  uint64_t all = 0;
  uint64_t asked = 0;
  for (const auto& statement : state.statements) {
    counted += statement.counted_bytes;
    all += statement.data_bytes;
    asked += statement.asked_bytes;
  }
  std::string text = share_text(counted, all) + " counted  " +
                     bytes_text(static_cast<double>(asked)) + " asked  " +
                     formatted("%.0f s", state.seconds) +
                     formatted("  cost %.1f %%", 100 * state.slowdown);
  if (state.left_out > 0) text += formatted(" (%.0f %% left out)", 100 * state.left_out);
  if (!answer.empty()) text += "  " + answer;
  return printable(text);
}

std::string summary_text(const api::Watch& watch, const api::WatchState& state, size_t number) {
  const api::WatchedStatement& statement = state.statements[number];
  std::string text = std::to_string(statement.records) + " records in " +
                     share_text(statement.counted_bytes, statement.data_bytes) + " of " +
                     printable(statement.path) + " (" +
                     bytes_text(static_cast<double>(statement.data_bytes)) + ") counted, " +
                     share_text(statement.covered_bytes, statement.data_bytes) + " covered";
  if (statement.completed_bytes > 0)
    text += ", " + bytes_text(static_cast<double>(statement.completed_bytes)) + " read at the end";
  text += " (" + statement.program + ")";
  if (!statement.complete) text += why_not_all(statement);
  text += "\n  others asked for " + bytes_text(static_cast<double>(statement.asked_bytes)) +
          formatted(" in %.1f s; ", state.seconds) + std::to_string(state.events) +
          formatted(" events took %.2f ms of them", 1e3 * state.events_cpu_seconds) +
          formatted(", the worker %.2f s", state.worker_cpu_seconds);
  if (state.device_bytes > 0) {
    text += "; " + bytes_text(static_cast<double>(state.device_bytes)) +
            " had left the cache meanwhile and were read for it";
  }
  if (state.lost_pages > 0) {
    text += "\n  " + std::to_string(state.lost_pages) +
            " pages were not marked for want of memory (--memory)";
  }
  if (state.lost_events > 0) {
    text += "\n  " + std::to_string(state.lost_events) +
            " events of this machine's files were not shown by the kernel: programs were in each "
            "other's way";
  }
  const std::vector<api::WatchReader> readers = watch.readers(number);
  for (size_t i = 0; i < std::min(readers.size(), kReadersShown); i++)
    text += "\n  " + reader_text(readers[i]);
  if (readers.size() > kReadersShown) {
    text +=
        "\n  and " + std::to_string(readers.size() - kReadersShown) + " more (--json shows all)";
  }
  return text;
}

std::string missing_places_text(const api::WatchState& state) {
  std::string text;
  for (const auto& place : state.places) {
    if (place.refusal.empty()) continue;
    if (!text.empty()) text += "\n";
    text += place.without + ": no " + place.where + " (" + place.refusal + ")";
  }
  return text;
}

std::string answer_text(const api::Watch& watch, size_t statement) {
  std::string text;
  size_t rows = 0;
  const bool there = for_each_row(
      watch, statement,
      [&](const ArrowSchema& schema, const std::vector<api::ColumnText>& columns, int64_t row) {
        if (++rows > 1) return;
        for (size_t i = 0; i < columns.size(); i++) {
          text += (i > 0 ? ", " : "") + std::string(schema.children[i]->name) + " = " +
                  value_text(columns[i], row);
        }
      });
  if (!there) return {};
  return rows == 1 ? text : std::to_string(rows) + " rows";
}

std::string statement_json(const api::Watch& watch, const api::WatchState& state, size_t statement,
                           bool ranges) {
  const api::WatchedStatement& about = state.statements[statement];
  JsonObject json;
  json.number("statement", statement)
      .boolean("final", state.ended)
      .real("seconds", state.seconds)
      .text("path", about.path)
      .text("table", about.table)
      .text("program", about.program)
      .text("stability", about.stability)
      .boolean("complete", about.complete)
      .number("data_bytes", about.data_bytes)
      .number("covered_bytes", about.covered_bytes)
      .number("counted_bytes", about.counted_bytes)
      .number("records", about.records)
      .number("unknown_bytes", about.unknown_bytes)
      .number("completed_bytes", about.completed_bytes)
      .number("asked_bytes", about.asked_bytes)
      .number("direct_bytes", about.direct_bytes)
      .number("audited_bytes", about.audited_bytes)
      .number("gone_bytes", about.gone_bytes)
      .number("device_bytes", state.device_bytes)
      .number("events", state.events)
      .real("events_cpu_seconds", state.events_cpu_seconds)
      .real("longest_event_seconds", state.longest_event_seconds)
      .real("slowdown", state.slowdown)
      .real("left_out", state.left_out)
      .real("worker_cpu_seconds", state.worker_cpu_seconds)
      .number("lost_pages", state.lost_pages)
      .number("lost_readers", state.lost_readers)
      .number("lost_events", state.lost_events)
      .raw("readers", readers_json(watch.readers(statement)))
      .raw("places", places_json(state));
  if (about.error) json.text("error", about.error->to_string());
  json.raw("rows", rows_json(watch, statement));
  if (ranges) {
    json.raw("covered", ranges_text(watch.covered(statement)))
        .raw("counted", ranges_text(watch.counted(statement)));
  }
  return json.end();
}

std::string ranges_json(const api::Watch& watch, const api::WatchState& state, size_t statement) {
  return JsonObject()
      .number("statement", statement)
      .text("path", state.statements[statement].path)
      .raw("covered", ranges_text(watch.covered(statement)))
      .raw("counted", ranges_text(watch.counted(statement)))
      .end();
}

}  // namespace grapnel::cli
