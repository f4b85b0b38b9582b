// Files, jobs and readable results for the tests of hooks, scan and chooser.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "hooks/hook.h"
#include "op/datum.h"
#include "program/interpreter.h"
#include "scan/scan.h"
#include "source/source.h"

namespace grapnel::scan_test {

/// A directory of its own, removed at the end.
class Directory {
 public:
  Directory() {
    const char* base = getenv("GRAPNEL_TEST_TMP");
    std::string name = std::string(base != nullptr ? base : "/tmp") + "/scan-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string write(std::string_view name, std::string_view content) const {
    std::string path = path_ + "/" + std::string(name);
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

 private:
  std::string path_;
};

inline const op::Type kBigint = op::Type::of(op::TypeKind::bigint);
inline const op::Type kVarchar = op::Type::of(op::TypeKind::varchar);

inline std::shared_ptr<const source::Source> open(const source::TableRequest& request) {
  auto source = source::open_source(request, {});
  EXPECT_TRUE(source.ok()) << source.error().to_string();
  return source.ok() ? *source : nullptr;
}

/// csv without header: number BIGINT, text VARCHAR; comma; quotes, or `quote` NUL for none.
inline std::shared_ptr<const source::Source> open_csv(const std::string& path, char quote = '"') {
  source::TableRequest request;
  request.path = path;
  request.format = source::Format::csv;
  request.delimiter = ',';
  request.quote = quote;
  request.header = false;
  request.columns = {{"number", kBigint}, {"text", kVarchar}};
  return open(request);
}

inline std::shared_ptr<const source::Source> open_lines(const std::string& path) {
  source::TableRequest request;
  request.path = path;
  request.format = source::Format::lines;
  return open(request);
}

/// fixed: number BIGINT, other INTEGER; 12 bytes a record.
inline std::shared_ptr<const source::Source> open_fixed(const std::string& path) {
  source::TableRequest request;
  request.path = path;
  request.format = source::Format::fixed;
  request.columns = {{"number", kBigint}, {"other", op::Type::of(op::TypeKind::integer)}};
  return open(request);
}

inline std::shared_ptr<const program::Job> make_job(std::shared_ptr<const source::Source> source,
                                                    op::Op op) {
  auto job = std::make_shared<program::Job>();
  job->source = std::move(source);
  job->op = std::make_shared<const op::Op>(std::move(op));
  job->layout = std::make_shared<const state::StateLayout>(state::StateLayout::of(*job->op));
  job->max_groups = 100'000;
  return job;
}

/// SELECT *.
inline std::shared_ptr<const program::Job> rows_job(std::shared_ptr<const source::Source> source) {
  op::Op op;
  const auto& columns = source->layout.columns;
  for (uint32_t i = 0; i < columns.size(); i++) {
    op.outputs.push_back(op::make_column(i, columns[i].type));
  }
  return make_job(std::move(source), std::move(op));
}

/// SELECT count(*), sum(x), min(x) for the BIGINT column `column`.
inline std::shared_ptr<const program::Job> sum_job(std::shared_ptr<const source::Source> source,
                                                   uint32_t column) {
  op::Op op;
  op.aggregating = true;
  const op::ExprPtr argument = op::make_column(column, kBigint);
  op.aggregates = {{op::AggregateKind::count_rows, nullptr, kBigint},
                   {op::AggregateKind::sum, argument, op::Type::of(op::TypeKind::hugeint)},
                   {op::AggregateKind::min, argument, kBigint}};
  return make_job(std::move(source), std::move(op));
}

inline std::string show(const op::Datum& value, op::Type type) {
  return value.is_null ? "NULL" : op::to_text(value, type);
}

/// Rows as "offset: a | b" lines in their order; groups as "sum | min" lines.
inline std::string show(const program::Job& job, const state::Partial& partial) {
  std::string text;
  const op::Op& op = *job.op;
  for (size_t row = 0; row < partial.rows.size(); row++) {
    text += std::to_string(partial.rows.file_offsets[row]) + ":";
    for (size_t i = 0; i < op.outputs.size(); i++) {
      const op::Type type = op.outputs[i]->type;
      text += " | " + show(partial.rows.value(row, i, type), type);
    }
    text += '\n';
  }
  for (size_t group = 0; group < partial.groups.size(); group++) {
    const uint64_t* slots = partial.groups.slots(group);
    text += std::to_string(slots[state::kFirstOffsetSlot]) + ":";
    for (size_t i = 0; i < op.aggregates.size(); i++) {
      const auto value = partial.finish(slots, i);
      text += " | " + (value.ok() ? show(*value, op.aggregates[i].type) : value.error().message);
    }
    text += '\n';
  }
  return text + std::to_string(partial.records) + " records";
}

/// What the interpreter gives on all data in one block: the truth that scans are compared with.
inline std::string truth(const std::shared_ptr<const program::Job>& job) {
  const source::Source& source = *job->source;
  std::string bytes;
  {
    std::ifstream file(source.path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  bytes.resize(source.data_end);
  bytes.erase(0, source.data_begin);
  const size_t size = bytes.size();
  bytes.resize(size + program::kSlackBytes);
  const auto runner = program::make_interpreter(job)->make_runner();
  state::Partial partial = job->make_partial();
  const auto outcome = runner->run({bytes.data(), size, source.data_begin, true}, partial);
  return outcome.ok() ? show(*job, partial) : "error: " + outcome.error().message;
}

inline scan::Plan make_plan(const std::shared_ptr<const program::Job>& job, hooks::Hook* hook,
                            unsigned threads = 1, uint64_t extent_bytes = 0) {
  scan::Plan plan;
  plan.job = job;
  plan.program = program::make_interpreter(job);
  plan.choose = [hook](const hooks::Extent&) { return hooks::HookChoice{hook, {}}; };
  plan.threads = threads;
  plan.extent_bytes = extent_bytes;
  return plan;
}

inline std::string run_plan(const scan::Plan& plan) {
  const CancelToken cancel;
  const auto outcome = scan::run(plan, cancel, {});
  return outcome.ok() ? show(*plan.job, outcome->partial) : "error: " + outcome.error().message;
}

/// Sizes of random_csv().
struct RandomCsv {
  bool quoted = false;
  uint64_t most_records = 60;
  uint64_t long_text_each = 40;  ///< one text of so many is a long one
  uint64_t most_long_bytes = 2000;
};

/// number,text: plain or quoted texts with all that may stand in quotes, both kinds of line ends,
/// empty lines, and at times no line end at the end.
inline std::string random_csv(std::mt19937_64& random, const RandomCsv& sizes) {
  std::string content;
  const auto below = [&random](uint64_t n) { return random() % n; };
  for (uint64_t records = below(sizes.most_records); records > 0; records--) {
    content += std::to_string(static_cast<int64_t>(random()) >> below(60)) + ",";
    const bool quote = sizes.quoted && below(3) == 0;
    if (quote) content += '"';
    const bool is_long = below(sizes.long_text_each) == 0;
    for (uint64_t n = below(is_long ? sizes.most_long_bytes : 12); n > 0; n--) {
      static constexpr std::string_view kPlain = "abc 0123";
      static constexpr std::string_view kInQuotes = "a,1\n\n,\r";
      if (quote && below(12) == 0) {
        content += "\"\"";
      } else {
        content += quote ? kInQuotes[below(kInQuotes.size())] : kPlain[below(kPlain.size())];
      }
    }
    if (quote) content += '"';
    content += below(4) == 0 ? "\r\n" : "\n";
    if (below(20) == 0) content += "\n";
  }
  if (!content.empty() && below(3) == 0) content.pop_back();
  return content;
}

}  // namespace grapnel::scan_test
