// Files, jobs from SQL text, and runs of programs over blocks with readable results.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lower/native/level.h"
#include "lower/native/native_program.h"
#include "op/datum.h"
#include "program/interpreter.h"
#include "source/fixed.h"
#include "sql/bind.h"
#include "sql/parse.h"

namespace grapnel::lower_test {

/// A directory of its own, removed at the end.
class Directory {
 public:
  Directory() {
    const char* base = getenv("GRAPNEL_TEST_TMP");
    std::string name = std::string(base != nullptr ? base : "/tmp") + "/lower-XXXXXX";
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

/// How the test tables are described.
struct TableOptions {
  source::Format format = source::Format::csv;
  char delimiter = ',';
  char quote = '"';
  std::vector<source::Column> columns;
  bool trailing_delimiter = false;
};

/// Opened without sniffing, which would refuse the files that are wrong on purpose.
inline std::shared_ptr<const source::Source> open_table(const std::string& path,
                                                        const TableOptions& options) {
  auto source = std::make_shared<source::Source>();
  source->path = path;
  source->file = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  source->data_end = source->identity.size = std::filesystem::file_size(path);
  source::Layout& layout = source->layout;
  layout.format = options.format;
  layout.columns = options.columns;
  if (options.format == source::Format::csv) {
    layout.dialect.delimiter = options.delimiter;
    layout.dialect.quote = options.quote;
    layout.dialect.trailing_delimiter = options.trailing_delimiter;
  } else if (options.format == source::Format::lines) {
    layout.columns = {{"line", op::Type::of(op::TypeKind::varchar)},
                      {"line_offset", op::Type::of(op::TypeKind::bigint)}};
  } else {
    EXPECT_TRUE(source::lay_out_fixed(layout).ok());
  }
  return source;
}

inline Result<std::shared_ptr<const program::Job>> make_job(
    std::shared_ptr<const source::Source> source, std::string_view sql) {
  GRAPNEL_TRY(const sql::ParsedStatement statement, sql::parse(sql));
  GRAPNEL_TRY(op::Query query, sql::bind(statement, source->layout.columns));
  auto job = std::make_shared<program::Job>();
  job->source = std::move(source);
  job->op = std::make_shared<const op::Op>(std::move(query.op));
  job->layout = std::make_shared<const state::StateLayout>(state::StateLayout::of(*job->op));
  job->max_groups = 100'000;
  return std::shared_ptr<const program::Job>(std::move(job));
}

/// Memory that ends where nothing may be read: `size` bytes, then the slack, then a fault. Or, with
/// `at_begin`, that begins where nothing may be read.
class GuardedBuffer {
 public:
  GuardedBuffer(size_t size, bool at_begin) : size_(size) {
    constexpr size_t kPage = 4096;
    mapped_ = (size + program::kSlackBytes + kPage - 1) / kPage * kPage + 2 * kPage;
    memory_ = static_cast<char*>(
        mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(memory_, kPage, PROT_NONE);
    mprotect(memory_ + mapped_ - kPage, kPage, PROT_NONE);
    data_ = at_begin ? memory_ + kPage : memory_ + mapped_ - kPage - program::kSlackBytes - size;
  }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  ~GuardedBuffer() { munmap(memory_, mapped_); }
  [[nodiscard]] char* data() const { return data_; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  size_t size_, mapped_;
  char* memory_;
  char* data_;
};

inline std::string show(const op::Datum& value, op::Type type) {
  return value.is_null ? "NULL" : op::to_text(value, type);
}

/// All of a partial as text; groups sorted by key.
inline std::string show(const state::Partial& partial) {
  const op::Op& op = partial.op();
  std::vector<std::string> lines;
  for (size_t group = 0; group < partial.groups.size(); group++) {
    const uint64_t* slots = partial.groups.slots(group);
    if (slots[state::kRecordCountSlot] == 0) continue;  // made early, or an escape's failure
    std::string line;
    size_t position = 0;
    for (const auto& key : op.keys)
      line +=
          show(state::decode_key(partial.groups.key(group), &position, key->type), key->type) + "|";
    line += " @" + std::to_string(slots[0]) + " x" + std::to_string(slots[1]);
    for (size_t i = 0; i < op.aggregates.size(); i++) {
      const auto value = partial.finish(slots, i);
      line += " " + (value.ok() ? show(*value, op.aggregates[i].type) : value.error().message);
    }
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  for (size_t row = 0; row < partial.rows.size(); row++) {
    std::string line = std::to_string(partial.rows.file_offsets[row]) + ":";
    for (size_t i = 0; i < op.outputs.size(); i++)
      line +=
          " " + show(partial.rows.value(row, i, op.outputs[i]->type), op.outputs[i]->type) + "|";
    lines.push_back(std::move(line));
  }
  std::string text = std::to_string(partial.records) + " records\n";
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

struct RunResult {
  std::string text;  ///< show(), or the error
  uint64_t escapes = 0;
};

/// Feeds the program with blocks that grow by `step` bytes at a time (0: all at once), carrying
/// over what was not consumed, as readers do.
inline RunResult run(const program::Program& program, const program::Job& job,
                     std::string_view content, size_t step = 0, bool guard_begin = false) {
  RunResult result;
  state::Partial partial = job.make_partial();
  const auto runner = program.make_runner();
  size_t begin = job.source->data_begin, end = begin;
  while (begin < content.size()) {
    end = step == 0 ? content.size() : std::min(content.size(), end + step);
    const GuardedBuffer buffer(end - begin, guard_begin);
    if (end != begin) memcpy(buffer.data(), content.data() + begin, end - begin);
    program::Block block;
    block.data = buffer.data();
    block.size = end - begin;
    block.file_offset = begin;
    block.last = end == content.size();
    const auto outcome = runner->run(block, partial);
    if (!outcome) {
      result.text = "error: " + outcome.error().to_string();
      return result;
    }
    result.escapes += outcome->escapes;
    begin += outcome->consumed;
    if (block.last) {
      // A fixed file's rest that is no record stays.
      EXPECT_TRUE(begin == end || job.source->layout.format == source::Format::fixed);
      break;
    }
  }
  result.text = show(partial);
  return result;
}

/// Levels that this machine can run.
inline std::vector<std::string> supported_levels() {
  std::vector<std::string> names;
  for (const auto& level : lower::native::levels()) {
    if (level.supported()) names.emplace_back(level.name);
  }
  return names;
}

/// The cache that tests share within a run of the test program, so that nothing of the user's is
/// touched.
inline const lower::ObjectCache& test_cache() {
  static const Directory directory;
  static const lower::ObjectCache cache =
      lower::ObjectCache::open_directory(directory.path() + "/cache");
  return cache;
}

inline Result<std::shared_ptr<const program::Program>> make_native(
    const std::shared_ptr<const program::Job>& job, const std::string& level,
    lower::native::Report* report = nullptr) {
  lower::native::Options options;
  options.level = level;
  options.cache = &test_cache();
  options.strict = true;
  return lower::native::make_native(job, options, report);
}

#ifdef GRAPNEL_SANITIZE
inline constexpr bool kHasCompiler = false;
#else
inline constexpr bool kHasCompiler = true;
#endif

#define GRAPNEL_NEEDS_COMPILER()            \
  if (!::grapnel::lower_test::kHasCompiler) \
  GTEST_SKIP() << "the sanitizer build has no compiler plugin"

}  // namespace grapnel::lower_test
