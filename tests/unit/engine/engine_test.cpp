#include "engine/engine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "grapnel/grapnel.h"

namespace grapnel::engine {
namespace {

/// A file of this test's own, removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    const char* directory = std::getenv("GRAPNEL_TEST_TMP");
    path_ = std::string(directory == nullptr ? "/tmp" : directory) + "/engine-" +
            std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".csv";
    std::ofstream(path_) << content;
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  static inline int counter = 0;
  std::string path_;
};

/// All rows as "a|b" lines.
std::string rows_of(wire::RunningQuery& query) {
  ArrowSchema schema;
  EXPECT_TRUE(query.schema(&schema).ok());
  std::string text;
  for (;;) {
    ArrowArray batch;
    auto more = query.next(&batch);
    if (!more.ok()) text += "error: " + more.error().message;
    if (!more.ok() || !*more) break;
    for (int64_t row = 0; row < batch.length; row++) {
      for (int64_t i = 0; i < batch.n_children; i++) {
        const api::ColumnText column(*schema.children[i], *batch.children[i]);
        if (i > 0) text += '|';
        if (!column.is_null(row)) column.append(row, text);
      }
      text += '\n';
    }
    batch.release(&batch);
  }
  schema.release(&schema);
  return text;
}

std::string answer(const std::string& sql, const wire::ExecuteOptions& options = {}) {
  auto query = make_engine()->execute(sql, options);
  if (!query.ok()) return "refused: " + query.error().message;
  return rows_of(**query);
}

TEST(Engine, Aggregates) {
  const TemporaryFile file("a,b\n1,x\n2,y\n3,x\n");
  EXPECT_EQ(answer("SELECT sum(a), count(*) FROM '" + file.path() + "'"), "6|3\n");
  EXPECT_EQ(answer("SELECT b, sum(a) FROM '" + file.path() + "' GROUP BY b"), "x|4\ny|2\n");
}

TEST(Engine, RowsWithOffsetAndLimit) {
  std::string content = "n\n";
  std::string expected;
  for (int n = 0; n < 200'000; n++) {
    content += std::to_string(n) + "\n";
    if (n >= 70'000 && n < 140'000) expected += std::to_string(n) + "\n";
  }
  const TemporaryFile file(content);
  EXPECT_EQ(answer("SELECT n FROM '" + file.path() + "' LIMIT 70000 OFFSET 70000"), expected);
  EXPECT_EQ(answer("SELECT n FROM '" + file.path() + "' LIMIT 5 OFFSET 300000"), "");
}

TEST(Engine, DescribeNamesColumns) {
  const TemporaryFile file("a,b\n1,x\n2,y\n");
  EXPECT_EQ(answer("DESCRIBE '" + file.path() + "'"), "a|BIGINT\nb|VARCHAR\n");
  EXPECT_EQ(answer("  describe csv('" + file.path() + "', columns => 'p DOUBLE, q DATE')"),
            "p|DOUBLE\nq|DATE\n");
}

TEST(Engine, DescribeErrorsPointIntoTheText) {
  const std::string sql = "DESCRIBE csv('x', nonsense => 1)";
  auto query = make_engine()->execute(sql, {});
  ASSERT_FALSE(query.ok());
  EXPECT_EQ(query.error().kind, ErrorKind::refused);
  ASSERT_TRUE(query.error().sql_offset.has_value());
  EXPECT_EQ(sql.substr(*query.error().sql_offset, 8), "nonsense");
}

TEST(Engine, ExplainNamesHooks) {
  const TemporaryFile file("a,b\n1,x\n2,y\n");
  const std::string plan = answer("EXPLAIN SELECT sum(a) FROM '" + file.path() + "' WHERE a > 1");
  for (const char* part : {"read", "mmap", "direct", "filter", "sum(a)", "program"}) {
    EXPECT_NE(plan.find(part), std::string::npos) << part << " in\n" << plan;
  }
  const std::string measured =
      answer("EXPLAIN ANALYZE SELECT sum(a) FROM '" + file.path() + "' WHERE a > 1");
  EXPECT_NE(measured.find("1 of 2 selected"), std::string::npos) << measured;
}

TEST(Engine, StatisticsAreComplete) {
  const TemporaryFile file("a,b\n1,x\n2,y\n3,x\n");
  wire::ExecuteOptions options;
  options.hook = "read";
  auto query = make_engine()->execute("SELECT a FROM '" + file.path() + "' WHERE b = 'x'", options);
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(rows_of(**query), "1\n3\n");
  const auto statistics = api::Statistics::from_json((*query)->statistics_json());
  ASSERT_TRUE(statistics.ok());
  EXPECT_EQ(statistics->records, 3U);
  EXPECT_EQ(statistics->selected_records, 2U);
  EXPECT_EQ(statistics->result_rows, 2U);
  EXPECT_EQ(statistics->hook, "read");
  EXPECT_NE(statistics->table.find("csv("), std::string::npos);
}

TEST(Engine, CancelledQueriesSaySo) {
  std::string content = "n\n";
  for (int n = 0; n < 100'000; n++) content += std::to_string(n) + "\n";
  const TemporaryFile file(content);
  for (const char* select : {"sum(n)", "n"}) {
    auto query =
        make_engine()->execute("SELECT " + std::string(select) + " FROM '" + file.path() + "'", {});
    ASSERT_TRUE(query.ok());
    (*query)->cancel();
    ArrowArray batch;
    auto more = (*query)->next(&batch);
    ASSERT_FALSE(more.ok()) << select;
    EXPECT_EQ(more.error().kind, ErrorKind::cancelled);
  }
}

TEST(Engine, QueriesMayBeDroppedAtAnyTime) {
  std::string content = "n\n";
  for (int n = 0; n < 300'000; n++) content += std::to_string(n) + "\n";
  const TemporaryFile file(content);
  auto never_started = make_engine()->execute("SELECT n FROM '" + file.path() + "'", {});
  ASSERT_TRUE(never_started.ok());
  auto under_way = make_engine()->execute("SELECT n FROM '" + file.path() + "'", {});
  ASSERT_TRUE(under_way.ok());
  ArrowArray batch;
  auto more = (*under_way)->next(&batch);
  ASSERT_TRUE(more.ok() && *more);
  batch.release(&batch);
}

TEST(Engine, RootConfines) {
  const TemporaryFile file("a\n1\n");
  const size_t slash = file.path().rfind('/');
  auto engine = make_rooted_engine(file.path().substr(0, slash));
  ASSERT_TRUE(engine.ok());
  auto inside = (*engine)->execute("SELECT a FROM '" + file.path().substr(slash + 1) + "'", {});
  ASSERT_TRUE(inside.ok()) << inside.error().message;
  EXPECT_EQ(rows_of(**inside), "1\n");
  for (const std::string& path : {file.path(), "../" + file.path().substr(slash + 1)}) {
    EXPECT_FALSE((*engine)->execute("SELECT a FROM '" + path + "'", {}).ok()) << path;
  }
  EXPECT_FALSE(make_rooted_engine("/no/such/directory").ok());
}

TEST(Engine, UnknownHookIsAUsageError) {
  const TemporaryFile file("a\n1\n");
  wire::ExecuteOptions options;
  options.hook = "nonsense";
  auto query = make_engine()->execute("SELECT a FROM '" + file.path() + "'", options);
  ASSERT_FALSE(query.ok());
  EXPECT_EQ(query.error().kind, ErrorKind::usage);
}

}  // namespace
}  // namespace grapnel::engine
