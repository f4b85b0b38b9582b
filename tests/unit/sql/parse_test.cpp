// FROM, EXPLAIN, and what is refused where.
#include <gtest/gtest.h>

#include <thread>

#include "base/limits.h"
#include "sql/caret.h"
#include "sql_test_support.h"

namespace grapnel::sql {
namespace {

using source::Format;

source::TableRequest table_of(const std::string& from) {
  Result<ParsedStatement> statement = parse("SELECT * FROM " + from);
  EXPECT_TRUE(statement) << from << ": " << statement.error().message;
  return statement ? statement->table : source::TableRequest();
}

TEST(Parse, Kinds) {
  const auto kind = [](std::string_view sql) {
    Result<ParsedStatement> statement = parse(sql);
    EXPECT_TRUE(statement) << statement.error().message;
    return statement->kind;
  };
  EXPECT_EQ(kind("select 1 from 'a.csv'"), StatementKind::query);
  EXPECT_EQ(kind("-- why\n/* not */ select 1 from 'a.csv' ; ;"), StatementKind::query);
  EXPECT_EQ(kind("EXPLAIN SELECT 1 FROM 'a.csv'"), StatementKind::explain);
  EXPECT_EQ(kind("explain (format json) select 1 from 'a.csv'"), StatementKind::explain_json);
  EXPECT_EQ(kind("explain /* x */ analyze select 1 from 'a.csv'"), StatementKind::explain_analyze);
}

TEST(Parse, PathChoosesTheReader) {
  for (const char* path : {"a.csv", "dir.x/b.TSV", "/c.tbl", "it''s.csv", "x y.csv", "ü.csv"}) {
    const source::TableRequest table = table_of("'" + std::string(path) + "'");
    EXPECT_EQ(table.format, Format::csv);
    EXPECT_FALSE(table.delimiter || table.quote || table.header || table.columns);
  }
  EXPECT_EQ(table_of("'it''s.csv'").path, "it's.csv");
  EXPECT_EQ(table_of("E'a\\tb.csv'").path, "a\tb.csv");
  EXPECT_EQ(table_of("$$a.csv$$ AS t").path, "a.csv");
  EXPECT_EQ(table_of("'" + std::string(300, 'x') + ".csv'").path, std::string(300, 'x') + ".csv");
}

TEST(Parse, ReaderFunctions) {
  const source::TableRequest csv = table_of(
      "CSV('a b', delim => '|', Quote => '', header => FALSE, "
      "columns => 'l_orderkey BIGINT, \"A \"\"b\" Decimal(15,2), c double precision,d "
      "varchar(9)')");
  EXPECT_EQ(csv.path, "a b");
  EXPECT_EQ(csv.format, Format::csv);
  EXPECT_EQ(csv.delimiter, '|');
  EXPECT_EQ(csv.quote, '\0');
  EXPECT_EQ(csv.header, false);
  ASSERT_TRUE(csv.columns);
  ASSERT_EQ(csv.columns->size(), 4U);
  EXPECT_EQ(csv.columns->at(0).name, "l_orderkey");
  EXPECT_EQ(csv.columns->at(0).type, op::Type::of(op::TypeKind::bigint));
  EXPECT_EQ(csv.columns->at(1).name, "A \"b");
  EXPECT_EQ(csv.columns->at(1).type, op::Type::decimal(15, 2));
  EXPECT_EQ(csv.columns->at(2).type, op::Type::of(op::TypeKind::real));
  EXPECT_EQ(csv.columns->at(3).type, op::Type::of(op::TypeKind::varchar));
  EXPECT_EQ(table_of("csv(path => 'x', sep => '\\t')").delimiter, '\t');
  EXPECT_EQ(table_of("csv('x', delimiter := E'\\t')").delimiter, '\t');
  EXPECT_FALSE(table_of("csv('x')").delimiter);

  const source::TableRequest lines = table_of("lines('log.txt') AS l");
  EXPECT_EQ(lines.format, Format::lines);
  EXPECT_EQ(lines.path, "log.txt");

  const source::TableRequest fixed = table_of("fixed('x.bin', columns => 'a INTEGER, date DATE')");
  EXPECT_EQ(fixed.format, Format::fixed);
  ASSERT_TRUE(fixed.columns);
  EXPECT_EQ(fixed.columns->at(1).name, "date");
}

/// A refused text with a ^ in front of the place of the error, and a part of the message.
struct Refusal {
  const char* marked;
  const char* message;
};

void expect_refused(const Refusal& refusal) {
  std::string sql = refusal.marked;
  const size_t place = sql.find('^');
  ASSERT_NE(place, std::string::npos) << sql;
  sql.erase(place, 1);
  const Result<op::Query> query = bind_text(sql);
  ASSERT_FALSE(query) << sql << " is bound to " << to_text(*query);
  EXPECT_EQ(query.error().kind, ErrorKind::refused) << sql;
  EXPECT_NE(query.error().message.find(refusal.message), std::string::npos)
      << sql << ": " << query.error().message;
  ASSERT_TRUE(query.error().sql_offset) << sql << ": " << query.error().message;
  EXPECT_EQ(*query.error().sql_offset, place) << describe(query.error(), sql);
}

TEST(Refusals, OfStatements) {
  for (const Refusal& refusal : std::initializer_list<Refusal>{
           {"^", "empty"},
           {"^  -- nothing", "empty"},
           {"^;", "empty"},
           {"EXPLAIN^", "EXPLAIN of what"},
           {"^INSERT INTO t VALUES (1)", "begins with SELECT"},
           {"explain ^drop table t", "begins with SELECT"},
           {"explain ^(analyze) select 1 from 'a.csv'", "options of EXPLAIN"},
           {"explain ^(format yaml) select 1 from 'a.csv'", "options of EXPLAIN"},
           {"^FROM 'a.csv' SELECT a", "begins with SELECT"},
           {"^WITH x AS (SELECT 1) SELECT 1", "WITH"},
           {"^DESCRIBE 'a.csv'", "DESCRIBE"},
           {"^(SELECT 1)", "begins with SELECT"},
           {"SELECT 1 FROM 'a.csv'; ^SELECT 2", "more than one statement"},
           {"SELECT 'abc FROM 'a.csv^'", "unterminated quoted string"},
           {"SELECT b FROM ^'t.csv", "unterminated quoted string"},
           {"SELECT b FROM 't.csv' ^/* x", "unterminated /* comment"},
           {"SELECT b FROM 't.csv' WHERE^", "syntax error at the end"},
           {"SELECT b FROM 't.csv' WHERE i = ^WHERE", "syntax error at \"WHERE\""},
           {"SELECT ^FROM 't.csv'", "the SELECT list is empty"},
           {"SELECT 1^", "FROM is missing"},
           {"SELECT i FROM 't.csv' LIMIT 1 %^", "syntax error"},
           {"SELECT i FROM 't.csv' GROUP BY ALL^", "syntax error"},
           {"SELECT i ^INTO x FROM 't.csv'", "INTO"},
           {"SELECT i, ^U&'x' FROM 't.csv'", "U&"},
           {"SELECT ^$1 FROM 't.csv'", "parameters"},
       }) {
    expect_refused(refusal);
  }
}

TEST(Refusals, OfClauses) {
  for (const Refusal& refusal : std::initializer_list<Refusal>{
           {"SELECT i FROM 't.csv' ^JOIN 'u.csv' USING (i)", "joins"},
           {"SELECT i FROM 't.csv' LEFT ^JOIN 'u.csv' ON true", "joins"},
           {"SELECT i FROM 't.csv', ^'u.csv'", "one file"},
           {"SELECT i FROM 't.csv', ^csv('u')", "one file"},
           {"SELECT i FROM 't.csv' ^UNION SELECT 1", "UNION"},
           {"SELECT i FROM 't.csv' ^EXCEPT SELECT 1", "EXCEPT"},
           {"SELECT i FROM (^SELECT 1) t", "subqueries"},
           {"SELECT i FROM 't.csv' WHERE i IN (^SELECT 1)", "subqueries"},
           {"SELECT i FROM 't.csv' WHERE EXISTS (^SELECT 1)", "subqueries"},
           {"SELECT i FROM ^t", "there is no table t"},
           {"SELECT i FROM ^a.csv", "there is no table a.csv"},
           {"SELECT i FROM ^'x.parquet'", ".parquet"},
           {"SELECT i FROM ^'x'", "without suffix"},
           {"SELECT i FROM ^xlsx('x')", "there is no reader xlsx"},
           {"SELECT ^DISTINCT v, sum(i) FROM 't.csv' GROUP BY v", "DISTINCT together"},
           {"SELECT DISTINCT ON (^i) i FROM 't.csv'", "DISTINCT ON"},
           {"SELECT i FROM 't.csv' GROUP BY ^ROLLUP (i)", "grouping sets"},
           {"SELECT i FROM 't.csv' ORDER BY ^i USING <", "USING"},
           {"SELECT i FROM 't.csv' FETCH FIRST 2 ROWS ^WITH TIES", "WITH"},
           {"SELECT ^sum(i) OVER () FROM 't.csv'", "window functions"},
           {"SELECT ^sum(i) FILTER (WHERE b) FROM 't.csv'", "FILTER"},
           {"SELECT ^count(DISTINCT i) FROM 't.csv'", "DISTINCT"},
           {"SELECT ^CASE WHEN b THEN 1 END FROM 't.csv'", "CASE"},
           {"SELECT ^coalesce(i, 1) FROM 't.csv'", "COALESCE"},
           {"SELECT ^substring(v, 1, 2) FROM 't.csv'", "function substring"},
           {"SELECT ^extract(year FROM dt) FROM 't.csv'", "function extract"},
           {"SELECT ^current_date FROM 't.csv'", "functions of time"},
           {"SELECT v ^ILIKE 'x' FROM 't.csv'", "ILIKE"},
           {"SELECT v ^|| 'x' FROM 't.csv'", "operator ||"},
           {"SELECT i = ^ARRAY[1] FROM 't.csv'", "arrays"},
           {"SELECT ^(i, b) = (1, true) FROM 't.csv'", "rows of values"},
           {"SELECT i ^= ANY ('{1}') FROM 't.csv'", "ANY"},
       }) {
    expect_refused(refusal);
  }
}

TEST(Refusals, OfReaderOptions) {
  for (const Refusal& refusal : std::initializer_list<Refusal>{
           {"SELECT * FROM ^csv()", "needs the path"},
           {"SELECT * FROM ^csv('')", "needs the path"},
           {"SELECT * FROM csv(^5)", "the path is a text"},
           {"SELECT * FROM csv('x', ^'|')", "needs its name"},
           {"SELECT * FROM csv('x', delim ^= '|')", "name => value"},
           {"SELECT * FROM csv('x', ^delim => '||')", "one ASCII character"},
           {"SELECT * FROM csv('x', ^delim => '')", "must not be empty"},
           {"SELECT * FROM csv('x', ^quote => 'ü')", "one ASCII character"},
           {"SELECT * FROM csv('x', delim => '\"', ^quote => '\"')", "same character"},
           {"SELECT * FROM csv('x', ^header => 1)", "true or false"},
           {"SELECT * FROM csv('x', ^skip => 1)", "no option skip"},
           {"SELECT * FROM csv('x', header => true, ^header => true)", "twice"},
           {"SELECT * FROM csv('x', ^delim => a)", "constant"},
           {"SELECT * FROM lines('x', ^columns => 'a INTEGER')", "no option columns"},
           {"SELECT * FROM ^fixed('x')", "needs the columns"},
           {"SELECT * FROM csv('x', columns => '^')", "empty"},
           {"SELECT * FROM csv('x', columns => 'a BIGINT, ^A BIGINT')", "declared twice"},
           {"SELECT * FROM csv('x', columns => 'a ^FLOAT')", "32-bit"},
           {"SELECT * FROM csv('x', columns => 'a ^BLOB')", "no type BLOB"},
           {"SELECT * FROM csv('x', columns => 'a BIGINT ^b BIGINT')", "comma"},
           {"SELECT * FROM csv('x', columns => 'a BIGINT,^')", "a column's name"},
           {"SELECT * FROM csv('x', columns => 'a DECIMAL(15,^x)')", "whole number"},
           {"SELECT * FROM csv('x', columns => 'a ^DECIMAL(39)')", "1 to 38"},
           {"SELECT * FROM csv('x', columns => ^'a''b BIGINT')", "cannot be read"},
       }) {
    expect_refused(refusal);
  }
}

TEST(Refusals, OfMeaning) {
  for (const Refusal& refusal : std::initializer_list<Refusal>{
           {"SELECT ^x FROM 't.csv'", "there is no column x"},
           {"SELECT i, ^u.i FROM 't.csv'", "there is no table u"},
           {"SELECT ^u.* FROM 't.csv'", "there is no table u"},
           {"SELECT ^a.b.c FROM 't.csv'", "one qualifier"},
           {"SELECT i FROM 't.csv' WHERE ^*", "syntax error"},
           {"SELECT ^sum(*) FROM 't.csv'", "takes one argument"},
           {"SELECT i FROM 't.csv' WHERE ^i", "WHERE needs a condition, not INTEGER"},
           {"SELECT i FROM 't.csv' WHERE b AND ^v", "AND needs a condition"},
           {"SELECT i ^+ v FROM 't.csv'", "no operator + for INTEGER and VARCHAR"},
           {"SELECT i ^+ '1' FROM 't.csv'", "no operator + for INTEGER and VARCHAR"},
           {"SELECT ^-v FROM 't.csv'", "no operator - for VARCHAR"},
           {"SELECT v ^> 5 FROM 't.csv'", "VARCHAR and INTEGER cannot be compared"},
           {"SELECT b ^= 1 FROM 't.csv'", "BOOLEAN and INTEGER cannot be compared"},
           {"SELECT dt > ^'1994' FROM 't.csv'", "'1994' is no DATE"},
           {"SELECT i IN (1, ^'x') FROM 't.csv'", "'x' is no INTEGER"},
           {"SELECT ^i LIKE '1%' FROM 't.csv'", "LIKE needs VARCHAR"},
           {"SELECT v LIKE ^v FROM 't.csv'", "constant text"},
           {"SELECT v LIKE 'a' ESCAPE ^'ab' FROM 't.csv'", "one ASCII character"},
           {"SELECT v LIKE ^'a!' ESCAPE '!' FROM 't.csv'", "ends with the escape"},
           {"SELECT i FROM 't.csv' WHERE ^sum(i) > 1", "cannot stand in WHERE"},
           {"SELECT sum(^max(i)) FROM 't.csv'", "nested"},
           {"SELECT ^v, sum(i) FROM 't.csv'", "must stand in GROUP BY"},
           {"SELECT i + 1 FROM 't.csv' GROUP BY i + 1 ORDER BY ^i", "must stand in GROUP BY"},
           {"SELECT sum(i) FROM 't.csv' GROUP BY ^1", "cannot stand in GROUP BY"},
           {"SELECT i FROM 't.csv' GROUP BY ^2", "out of range"},
           {"SELECT i FROM 't.csv' ORDER BY ^0", "out of range"},
           {"SELECT i FROM 't.csv' ORDER BY ^'x'", "no effect"},
           {"SELECT sum(^v) FROM 't.csv'", "no sum of VARCHAR"},
           {"SELECT i FROM 't.csv' LIMIT ^-1", "negative"},
           {"SELECT i FROM 't.csv' LIMIT ^1.5", "whole number"},
           {"SELECT i FROM 't.csv' LIMIT ^i", "whole number"},
           {"SELECT 1 ^// 0 FROM 't.csv'", "division by zero"},
           {"SELECT 2147483647 ^+ 1 FROM 't.csv'", "overflow"},
           {"SELECT ^170141183460469231731687303715884105728 FROM 't.csv'", "128 bits"},
           {"SELECT ^INTERVAL '1' DAY FROM 't.csv'", "only be added to a date"},
           {"SELECT d38 * d38 * d38 ^* d38 FROM 't.csv'", "38 digits"},
       }) {
    expect_refused(refusal);
  }
}

TEST(Refusals, PointBehindRewrittenTokens) {
  // Every kind of rewriting stands in front of the place.
  expect_refused({"EXPLAIN ANALYZE SELECT I FROM 't.csv' WHERE ^X = 1", "no column X"});
  expect_refused(
      {"SELECT I // 2 == 1, \"Mixed Case\" %-1, i !=-1, DATE '1994-01-01' + INTERVAL 1 "
       "DAY AS Abc FROM 't.csv' T WHERE T.I > ^Nope",
       "no column Nope"});
  expect_refused({"SELECT 'äöü€', I // 2 FROM 't.csv' WHERE 'ß' = ^Nope", "no column Nope"});
  expect_refused({"SELECT 'äöü€', I // 2 FROM 't.csv' WHERE Ab ^Cd", "syntax error at \"Cd\""});
}

TEST(Limits, OfTheText) {
  EXPECT_FALSE(parse(std::string_view("SELECT 1\0 FROM 'a.csv'", 22)));
  EXPECT_FALSE(parse("SELECT '\xff' FROM 'a.csv'"));
  const std::string spaces(limits::kSqlTextBytes, ' ');
  const Result<ParsedStatement> long_text = parse("SELECT 1 FROM 'a.csv'" + spaces);
  ASSERT_FALSE(long_text);
  EXPECT_NE(long_text.error().message.find("limit"), std::string::npos);
}

std::string repeated(const std::string& text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; i++) result += text;
  return result;
}

TEST(Limits, OfDepth) {
  // Each would need a deep stack somewhere: refused, not crashed.
  for (const size_t count : {size_t{500}, size_t{50'000}}) {
    for (const std::string& expression : {
             repeated("(", count) + "1" + repeated(")", count),
             "1" + repeated("+1", count),
             repeated("i - ", count) + "i",
             repeated("- ", count) + "i",
             repeated("NOT ", count) + "b",
             "i" + repeated("::int", count),
             "b" + repeated(" IS TRUE", count),
             repeated("i+(", count) + "1" + repeated(")", count),
             "i = 1" + repeated(" AND (b OR (b", count) + repeated("))", count),
             repeated("i IN (1, ", count) + "1" + repeated(")", count),
             repeated("sum(", count) + "i" + repeated(")", count),
             "i" + repeated("[1]", count),
         }) {
      const Result<op::Query> query = bind_text("SELECT " + expression + " FROM 't.csv'");
      EXPECT_FALSE(query) << expression.substr(0, 40);
    }
  }
  EXPECT_FALSE(bind_text("SELECT 1" + repeated("+1", 500'000) + " FROM 't.csv'"));
  EXPECT_EQ(item_text(repeated("(", 300) + "i" + repeated(")", 300)), "i INTEGER");
}

TEST(Limits, LongListsArePossible) {
  const std::string in = "i IN (0" + repeated(", 1", 20'000) + ")";
  EXPECT_TRUE(bind_text("SELECT i FROM 't.csv' WHERE " + in));
  EXPECT_TRUE(bind_text("SELECT i FROM 't.csv' WHERE b" + repeated(" OR i = 1", 20'000)));
  EXPECT_TRUE(bind_text("SELECT i FROM 't.csv' WHERE b" + repeated(" AND i = 1 OR b", 20'000)));
  EXPECT_TRUE(bind_text("SELECT i" + repeated(" + 1", 150) + " FROM 't.csv'"));
}

TEST(Limits, OfColumns) {
  EXPECT_TRUE(bind_text("SELECT i" + repeated(", i", 4095) + " FROM 't.csv'"));
  EXPECT_FALSE(bind_text("SELECT i" + repeated(", i", 4096) + " FROM 't.csv'"));
  EXPECT_FALSE(bind_text("SELECT *" + repeated(", *", 300) + " FROM 't.csv'"));
}

TEST(Limits, OfTreesThatGrowFasterThanTheText) {
  // Each alias doubles the one in front of it.
  std::string aliases = "i AS x0";
  for (int n = 1; n < 60; n++) {
    const std::string before = "x" + std::to_string(n - 1);
    aliases.append(", ").append(before).append(" + ").append(before);
    aliases.append(" AS x").append(std::to_string(n));
  }
  EXPECT_FALSE(bind_text("SELECT " + aliases + " FROM 't.csv'"));
  // Each IS TRUE uses its operand twice, each IS DISTINCT FROM three times.
  std::string condition = "b";
  for (int n = 0; n < 60; n++) condition.insert(0, "(").append(" IS TRUE)");
  EXPECT_FALSE(bind_text("SELECT i FROM 't.csv' WHERE " + condition));
  condition = "b";
  for (int n = 0; n < 60; n++) condition.insert(0, "(").append(" IS DISTINCT FROM b)");
  EXPECT_FALSE(bind_text("SELECT " + condition + " FROM 't.csv'"));
}

TEST(Parse, SeveralThreadsAtOnce) {
  const auto work = [] {
    for (int n = 0; n < 200; n++) {
      EXPECT_TRUE(bind_text("SELECT sum(i) FROM 't.csv' WHERE ti < " + std::to_string(n)));
      EXPECT_FALSE(bind_text("SELECT i FROM 't.csv' WHERE"));
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int n = 0; n < 4; n++) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
}

TEST(Hints, WordsOfDuckdb) {
  const auto hint = [](std::string_view sql) {
    const Result<op::Query> query = bind_text(sql);
    return query ? "" : query.error().hint;
  };
  EXPECT_NE(hint("SELECT i FROM 't.csv' ORDER BY ALL").find("ORDER BY ALL"), std::string::npos);
  EXPECT_NE(hint("SELECT * EXCLUDE (i) FROM 't.csv'").find("EXCLUDE"), std::string::npos);
}

TEST(Hints, NearNames) {
  const std::vector<source::Column> columns = {{"l_shipdate", op::Type::of(op::TypeKind::date)},
                                               {"l_quantity", op::Type::of(op::TypeKind::bigint)},
                                               {"l_tax", op::Type::of(op::TypeKind::bigint)}};
  const auto hint = [&columns](const std::string& name) {
    const Result<ParsedStatement> statement = parse("SELECT " + name + " FROM 't.csv'");
    EXPECT_TRUE(statement);
    const Result<op::Query> query = sql::bind(*statement, columns);
    return query ? "" : query.error().hint;
  };
  EXPECT_EQ(hint("shipdate"), "did you mean l_shipdate?");
  EXPECT_EQ(hint("l_quantty"), "did you mean l_quantity?");
  EXPECT_EQ(hint("nonsense"), "there are l_shipdate, l_quantity, l_tax");
}

}  // namespace
}  // namespace grapnel::sql
