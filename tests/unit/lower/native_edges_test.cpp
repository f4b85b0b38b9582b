// Each spelling of a value, and each place where a block can be cut: native code gives what the
// interpreter gives, and does itself what it is meant to do itself.
#include "lower_fixture.h"

namespace grapnel::lower_test {
namespace {

using op::Type;
using op::TypeKind;

class NativeEdges : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { GRAPNEL_NEEDS_COMPILER(); }

  /// Runs `sql` on `content` by both; returns the escapes of the native run.
  uint64_t expect_same(const std::string& content, const std::string& sql,
                       const TableOptions& options, size_t step = 0, bool guard_begin = false) {
    const auto source = open_table(directory_.write("table.csv", content), options);
    const auto job = make_job(source, sql);
    EXPECT_TRUE(job.ok()) << sql << ": " << job.error().to_string();
    if (!job) return 0;
    const auto native = make_native(*job, GetParam());
    EXPECT_TRUE(native.ok()) << sql << ": " << native.error().to_string();
    if (!native) return 0;
    const auto expected = run(*program::make_interpreter(*job), **job, content, step);
    const auto actual = run(**native, **job, content, step, guard_begin);
    EXPECT_EQ(actual.text, expected.text) << sql << "\non:\n" << content;
    return actual.escapes;
  }

  Directory directory_;
};

INSTANTIATE_TEST_SUITE_P(Levels, NativeEdges, testing::ValuesIn(supported_levels()),
                         [](const auto& info) { return info.param; });

const TableOptions kNumbers = {source::Format::csv,
                               ',',
                               '"',
                               {{"n", Type::of(TypeKind::bigint)},
                                {"i", Type::of(TypeKind::integer)},
                                {"u", Type::of(TypeKind::utinyint)},
                                {"w", Type::of(TypeKind::ubigint)},
                                {"h", Type::of(TypeKind::hugeint)}}};

std::string column_with(size_t column, const std::string& text) {
  std::string record;
  for (size_t i = 0; i < 5; i++) record += (i == 0 ? "" : ",") + (i == column ? text : "1");
  return record + "\n";
}

TEST_P(NativeEdges, Integers) {
  const char* spellings[] = {"0",
                             "7",
                             "-7",
                             "+7",
                             "",
                             "-",
                             "+",
                             "00",
                             "-0",
                             "0000000000000000000000012",
                             "127",
                             "128",
                             "-128",
                             "-129",
                             "255",
                             "256",
                             "2147483647",
                             "2147483648",
                             "-2147483648",
                             "12345678",
                             "123456789",
                             "1234567890123456",
                             "12345678901234567",
                             "-1234567890123456",
                             "999999999999999999",
                             "1000000000000000000",
                             "9223372036854775807",
                             "9223372036854775808",
                             "-9223372036854775808",
                             "-9223372036854775809",
                             "18446744073709551615",
                             "18446744073709551616",
                             "170141183460469231731687303715884105727",
                             " 7",
                             "7 ",
                             "7.0",
                             "7.5",
                             "1e3",
                             "x",
                             "\"7\"",
                             "\"\"",
                             "\"-7\"",
                             "7-",
                             "--7",
                             "1 2",
                             "0x10",
                             "1,000"};
  const std::string names[] = {"n", "i", "u", "w", "h"};
  for (size_t column = 0; column < 5; column++) {
    for (const char* spelling : spellings) {
      const std::string content = column_with(column, spelling) + column_with(column, "3");
      expect_same(content,
                  "SELECT count(*), sum(" + names[column] + "), min(" + names[column] + "), max(" +
                      names[column] + "), count(" + names[column] + ") FROM 'table.csv'",
                  kNumbers);
      expect_same(content, "SELECT n, h FROM 'table.csv' WHERE " + names[column] + " >= 7",
                  kNumbers);
    }
  }
}

TEST_P(NativeEdges, Decimals) {
  const TableOptions table = {source::Format::csv,
                              '|',
                              '\0',
                              {{"a", Type::decimal(15, 2)},
                               {"b", Type::decimal(4, 1)},
                               {"c", Type::decimal(18, 9)},
                               {"d", Type::decimal(38, 10)},
                               {"e", Type::decimal(18, 18)},
                               {"f", Type::decimal(9, 0)}}};
  const char* spellings[] = {"0",
                             "0.5",
                             ".5",
                             "5.",
                             ".",
                             "-.5",
                             "-0.05",
                             "17",
                             "17.0",
                             "17.00",
                             "17.000",
                             "17.005",
                             "17.004",
                             "-17.005",
                             "999.9",
                             "999.94",
                             "999.95",
                             "1000",
                             "-999.9",
                             "104949.50",
                             "1234567890123.45",
                             "9999999999999.99",
                             "10000000000000.00",
                             "9999999999999",
                             "10000000000000",
                             "123456789.123456789",
                             "999999999.999999999",
                             "1000000000.000000000",
                             "0.000000001",
                             "0.0000000005",
                             "1.123456789",
                             "12345678.12345678",
                             "1234567.12345678",
                             "123456.12345678",
                             "12345.12345678",
                             "0.123456789012345678",
                             "0.999999999999999999",
                             "0.1234567890123456789",
                             "9999999999999999999999999999.9999999999",
                             "",
                             "-",
                             "1.2.3",
                             "1e2",
                             " 5",
                             "+5.25",
                             "0000000000000000000005.25",
                             "5,25",
                             "nan"};
  const std::string names[] = {"a", "b", "c", "d", "e", "f"};
  for (size_t column = 0; column < 6; column++) {
    for (const char* spelling : spellings) {
      std::string record;
      for (size_t i = 0; i < 6; i++)
        record += (i == 0 ? "" : "|") + std::string(i == column ? spelling : "0");
      const std::string content = record + "\n0|0|0|0|0|0\n";
      expect_same(content,
                  "SELECT sum(" + names[column] + "), min(" + names[column] + "), max(" +
                      names[column] + ") FROM 'table.csv'",
                  table);
    }
  }
}

TEST_P(NativeEdges, Dates) {
  const TableOptions table = {
      source::Format::csv,
      ',',
      '"',
      {{"d", Type::of(TypeKind::date)}, {"x", Type::of(TypeKind::integer)}}};
  std::vector<std::string> spellings = {"",
                                        "1970-01-01",
                                        "1969-12-31",
                                        "0000-01-01",
                                        "0001-01-01",
                                        "9999-12-31",
                                        "10000-01-01",
                                        "1994-1-1",
                                        "1994-01-1",
                                        "1994/01/01",
                                        "1994-01-01 ",
                                        " 1994-01-01",
                                        "1994-13-01",
                                        "1994-00-01",
                                        "1994-01-00",
                                        "1994-01-32",
                                        "1994-02-28",
                                        "1994-02-29",
                                        "1996-02-29",
                                        "1900-02-29",
                                        "2000-02-29",
                                        "2100-02-29",
                                        "2000-02-30",
                                        "1994-04-31",
                                        "1994-12-31",
                                        "1994-20-01",
                                        "1994-19-01",
                                        "1994-1a-01",
                                        "199a-01-01",
                                        "1994-01-0a",
                                        "1994:01:01",
                                        "19940101",
                                        "\"1994-01-01\"",
                                        "\"1996-02-29\"",
                                        "\"\"",
                                        "-1994-01-01",
                                        "44-03-15 (BC)",
                                        "1994-01-01x",
                                        "1994-01-40",
                                        "1994-01-3/",
                                        "1994-0:-01"};
  for (int month = 1; month <= 12; month++) {
    for (int day : {28, 29, 30, 31}) {
      char text[32];
      snprintf(text, sizeof text, "1993-%02d-%02d", month, day);
      spellings.emplace_back(text);
    }
  }
  for (const std::string& spelling : spellings) {
    const std::string content = spelling + ",1\n1994-01-01,2\n1996-02-29,3\n";
    expect_same(content, "SELECT count(*), min(d), max(d) FROM 'table.csv'", table);
    expect_same(content, "SELECT x FROM 'table.csv' WHERE d >= DATE '1994-01-01'", table);
    expect_same(content, "SELECT count(*) FROM 'table.csv' WHERE d < DATE '1994-01-01' OR x = 2",
                table);
    expect_same(content, "SELECT d + 31, d - DATE '2000-01-01' FROM 'table.csv'", table);
  }
}

TEST_P(NativeEdges, EveryDayOfAFewYearsHasItsNumber) {
  const TableOptions table = {
      source::Format::csv,
      ',',
      '"',
      {{"d", Type::of(TypeKind::date)}, {"x", Type::of(TypeKind::integer)}}};
  std::string content;
  for (int64_t year : {0, 1, 3, 4, 99, 100, 400, 1600, 1900, 1969, 1970, 1996, 2000, 2100, 9999}) {
    for (int64_t day = op::days_from_civil(year, 1, 1); day < op::days_from_civil(year, 1, 1) + 365;
         day++) {
      const auto date = op::civil_from_days(day);
      char text[32];
      snprintf(text, sizeof text, "%04d-%02u-%02u,1\n", static_cast<int>(date.year), date.month,
               date.day);
      content += text;
    }
  }
  EXPECT_EQ(expect_same(content, "SELECT d, count(*) FROM 'table.csv' GROUP BY d", table), 0u);
}

TEST_P(NativeEdges, BooleansDoublesAndText) {
  const TableOptions table = {source::Format::csv,
                              ',',
                              '"',
                              {{"b", Type::of(TypeKind::boolean)},
                               {"r", Type::of(TypeKind::real)},
                               {"v", Type::of(TypeKind::varchar)}}};
  const char* booleans[] = {"true", "TRUE",  "True",  "t",        "T",    "1",  "yes",
                            "y",    "false", "FALSE", "f",        "0",    "no", "",
                            "2",    "tru",   "truee", "\"true\"", " true"};
  for (const char* text : booleans) {
    const std::string content = std::string(text) + ",1,a\nfalse,2,b\n";
    expect_same(content, "SELECT count(*), count(b), min(b), max(b) FROM 'table.csv' WHERE b",
                table);
    expect_same(content, "SELECT b, count(*) FROM 'table.csv' WHERE NOT b OR v = 'a' GROUP BY b",
                table);
  }
  const char* reals[] = {"0",
                         "-0",
                         "1.5",
                         "-1.5",
                         "1e10",
                         "1e400",
                         "-1e400",
                         "1e-400",
                         "nan",
                         "inf",
                         "-inf",
                         "0.1",
                         "123456789012345",
                         "1234567890123456",
                         "0.123456789012345",
                         "0.1234567890123456",
                         ".5",
                         "5.",
                         "+1",
                         "",
                         "\"2.5\"",
                         "x",
                         "1.7976931348623157e308",
                         "4.9e-324",
                         "9007199254740993",
                         "-",
                         "."};
  for (const char* text : reals) {
    const std::string content = "t," + std::string(text) + ",a\nf,2.25,b\nt,,c\n";
    expect_same(content, "SELECT sum(r), min(r), max(r), count(r) FROM 'table.csv'", table);
    expect_same(content, "SELECT r, count(*) FROM 'table.csv' GROUP BY r", table);
    expect_same(content, "SELECT v FROM 'table.csv' WHERE r > 1.0 AND r * 2.0 < 1e300", table);
    expect_same(content, "SELECT sum(r / 3.0 - r) FROM 'table.csv' WHERE r <> 0.1", table);
  }
  const char* texts[] = {"a",
                         "ab",
                         "abcdefg",
                         "abcdefgh",
                         "abcdefghi",
                         "",
                         "\"\"",
                         "\"a\"",
                         "\"a,b\"",
                         "\"a\"\"b\"",
                         "\"\"\"\"",
                         "\"line\nfeed\"",
                         "\"cr\r\nlf\"",
                         " a",
                         "a ",
                         "\xc3\xa4",
                         "specially special requests",
                         "a%b",
                         "a_b"};
  for (const char* text : texts) {
    const std::string content = "t,1," + std::string(text) + "\nf,2,zz\n";
    expect_same(content, "SELECT v, count(*) FROM 'table.csv' GROUP BY v", table);
    expect_same(content, "SELECT min(v), max(v), count(v) FROM 'table.csv'", table);
    for (const char* condition :
         {"v = 'ab'", "v <> 'abcdefgh'", "v < 'b'", "v >= 'ab'", "v LIKE 'ab%'", "v LIKE '%b'",
          "v LIKE '%special%'", "v LIKE '%s%r%'", "v LIKE 'a_'", "v IN ('a', 'zz', 'abcdefghi')",
          "v IS NULL", "v IS NOT NULL", "v LIKE '%'", "v LIKE 'a!%b' ESCAPE '!'",
          "v LIKE 'a!_%' ESCAPE '!'"})
      expect_same(content, std::string("SELECT r FROM 'table.csv' WHERE ") + condition, table);
  }
}

/// What makes a record hard to cut.
const char* const kRecords[] = {
    "1,one,x\n",
    "\n",
    "2,\"two\",y\r\n",
    "\r\n",
    "3,\"th,ree\",\n",
    "4,,\"\"\n",
    "5,\"fi\"\"ve\",z\n",
    "6,\"si\nx\",w\n",
    "7,\"s\r\neven\",\"q\"\r\n",
    "8,eight,\"nine\"\n",
    "10,ten\rten,r\n",
    "11,eleveneleveneleveneleveneleveneleveneleveneleveneleveneleveneleveneleven,s\n",
    "12,\"twelve twelve twelve, twelve twelve twelve twelve \"\" twelve twelve twelve\",t\n"};

const TableOptions kCut = {source::Format::csv,
                           ',',
                           '"',
                           {{"n", Type::of(TypeKind::integer)},
                            {"t", Type::of(TypeKind::varchar)},
                            {"u", Type::of(TypeKind::varchar)}}};

TEST_P(NativeEdges, BlocksCutAnywhere) {
  std::string content;
  for (const char* record : kRecords) content += record;
  for (const bool final_line_end : {true, false}) {
    if (!final_line_end) content.pop_back();
    for (size_t step = 1; step <= content.size(); step += step < 140 ? 1 : 37) {
      expect_same(content, "SELECT t, u, n FROM 'table.csv' WHERE n <> 2", kCut, step);
      if (step % 16 == 0)
        expect_same(content, "SELECT u, sum(n), max(t) FROM 'table.csv' GROUP BY u", kCut, step,
                    true);
    }
  }
}

TEST_P(NativeEdges, QuotesInWrongPlaces) {
  const char* odd[] = {"1,o\"ne,x\n",          "1,\"one\"x,x\n",
                       "1, \"one\",x\n",       "1,\"one\" ,x\n",
                       "1,one\",x\n",          "1,\"one,x\n",
                       "1,\"o\"ne\",x\n",      "1,\"one\"\r,x\n",
                       "\"1\",one,x\n",        "1,\"one\n,x\n2,\"two\",y\n",
                       "1,\"\"\"one\"\"\",x\n"};
  for (const char* record : odd) {
    for (size_t before : {0, 1, 9, 10, 11, 60}) {
      std::string content;
      for (size_t i = 0; i < before; i++) content += "3,\"abc\",d\n";
      content += record;
      for (size_t i = 0; i < 20; i++) content += "4,e,\"f\"\n";
      expect_same(content, "SELECT count(*), sum(n), min(t) FROM 'table.csv'", kCut);
      expect_same(content, "SELECT count(*) FROM 'table.csv'", kCut);
      expect_same(content, "SELECT n, u FROM 'table.csv' WHERE t = 'e' OR n = 1", kCut);
    }
  }
}

TEST_P(NativeEdges, RecordsWithTooFewOrTooManyFields) {
  for (const char* record : {"1\n", "1,a\n", "1,a,b,c\n", ",,\n", ",,,\n", "x\n", ","}) {
    const std::string content = "5,f,g\n" + std::string(record) + "\n7,h,i\n";
    for (const char* columns : {"n", "t", "u"})
      expect_same(content, std::string("SELECT count(*), count(") + columns + ") FROM 'table.csv'",
                  kCut);
    expect_same(content, "SELECT n FROM 'table.csv' WHERE u = 'g'", kCut);
  }
}

TEST_P(NativeEdges, LongRecords) {
  for (size_t size : {100, 1000, 16'000, 16'384, 17'000, 100'000}) {
    const std::string content = "1,a,b\n2," + std::string(size, 'x') + ",c\n3," +
                                std::string(size, 'y') + ",\"" + std::string(size, '\n') +
                                "\"\n4,d,e\n";
    expect_same(content, "SELECT n, count(*), min(u) FROM 'table.csv' GROUP BY n", kCut);
    expect_same(content, "SELECT sum(n) FROM 'table.csv' WHERE u <> 'b'", kCut, 5000);
  }
}

TEST_P(NativeEdges, FieldsFarFromTheRecordsStart) {
  TableOptions wide = {source::Format::csv, '|', '\0', {}};
  std::string record;
  for (int i = 0; i < 100; i++) {
    wide.columns.push_back({"c" + std::to_string(i), Type::of(TypeKind::integer)});
    record += (i == 0 ? "" : "|") + std::to_string(i * 1000);
  }
  const std::string content = record + "\n" + record + "|\n" + record + "\n";
  for (const char* sql :
       {"SELECT sum(c0), sum(c50), sum(c98) FROM 'table.csv'", "SELECT sum(c99) FROM 'table.csv'",
        "SELECT c10 FROM 'table.csv' WHERE c64 > c63",
        "SELECT count(*) FROM 'table.csv' WHERE c65 = 65000"})
    expect_same(content, sql, wide);
}

TEST_P(NativeEdges, OneColumn) {
  const TableOptions table = {source::Format::csv, ',', '"', {{"n", Type::of(TypeKind::integer)}}};
  for (const std::string content : {"1\n\n2\n", "\n", "\n\n\n", "1", "\"3\"\n\r\n4\r\n"})
    expect_same(content, "SELECT count(*), count(n), sum(n) FROM 'table.csv'", table);
}

TEST_P(NativeEdges, TrailingDelimiters) {
  const TableOptions table = {
      source::Format::csv,
      '|',
      '\0',
      {{"n", Type::of(TypeKind::integer)}, {"t", Type::of(TypeKind::varchar)}},
      true};
  const std::string content = "1|a|\n2|b|\n3||\n4|d|\r\n5|e\n6|f|g\n7|h||\n";
  expect_same(content.substr(0, 15), "SELECT n, t FROM 'table.csv' WHERE t <> 'b'", table);
  expect_same(content, "SELECT n FROM 'table.csv' WHERE n > 2", table);
  expect_same(content, "SELECT n FROM 'table.csv' WHERE t >= 'b'", table);
}

TEST_P(NativeEdges, Lines) {
  const TableOptions table = {source::Format::lines, ',', '"', {}};
  std::string content;
  for (int i = 0; i < 2000; i++)
    content +=
        (i % 7 == 0 ? "\n" : "line " + std::to_string(i) + (i % 3 == 0 ? " special\r\n" : "\n"));
  content += "last special";
  for (const size_t step : {0, 1, 100, 5000}) {
    if (step == 1 && content.size() > 5000) continue;
    expect_same(content, "SELECT count(*) FROM lines('table.csv') WHERE line LIKE '%special%'",
                table, step);
    expect_same(content,
                "SELECT line, line_offset FROM lines('table.csv') WHERE line_offset > 9000", table,
                step);
    expect_same(content,
                "SELECT line, count(*), sum(line_offset) FROM lines('table.csv') GROUP BY line",
                table, step);
  }
}

// Lines are looked for the text in groups of 64 bytes: every length and place of it, lines longer
// than a group or a chunk, and few letters, so that parts of it stand everywhere.
TEST_P(NativeEdges, LinesThatHoldAText) {
  const TableOptions table = {source::Format::lines, ',', '"', {}};
  uint64_t random = 11;
  const auto below = [&random](uint64_t bound) {
    random = random * 6364136223846793005 + 1442695040888963407;
    return (random >> 33) % bound;
  };
  std::string content;
  while (content.size() < 60'000) {
    const uint64_t size = below(40) == 0 ? 3000 : below(90);
    for (uint64_t i = 0; i < size; i++) content += "aab"[below(3)];
    if (below(50) == 0) content += '\r';
    content += '\n';
  }
  content += std::string(17'000, 'a') + "bb\nab\r\n\nbab";
  for (const size_t bytes : {1, 2, 3, 7, 8, 9, 16, 63, 64, 65, 66, 70, 200}) {
    const std::string text = content.substr(1000 + 37 * bytes, bytes);
    if (text.find('\n') != std::string::npos || text.find('\r') != std::string::npos) continue;
    for (const std::string& pattern : {"%" + text + "%", text + "%", "%" + text, text}) {
      const std::string where = " FROM lines('table.csv') WHERE line LIKE '" + pattern + "'";
      expect_same(content, "SELECT count(*), sum(line_offset)" + where, table, 0, true);
      expect_same(content, "SELECT line_offset" + where + " AND line LIKE '%b'", table, 4097);
    }
  }
  expect_same(content, "SELECT count(*) FROM lines('table.csv') WHERE line LIKE '%%'", table);
  expect_same(content, "SELECT count(*) FROM lines('table.csv') WHERE line LIKE '%b\r%'", table);
  expect_same(content, "SELECT count(*) FROM lines('table.csv') WHERE line = ''", table);
  expect_same(content, "SELECT count(*) FROM lines('table.csv') WHERE NOT line LIKE '%bab%'",
              table);
  // An error that the interpreter would not see either, and one that it would.
  expect_same(content,
              "SELECT count(*) FROM lines('table.csv') WHERE line LIKE '%bab%' AND "
              "line_offset % (line_offset - 7) > 3",
              table);
}

TEST_P(NativeEdges, FixedRecords) {
  TableOptions table = {source::Format::fixed, ',', '"', {}};
  const TypeKind kinds[] = {TypeKind::boolean,  TypeKind::tinyint,   TypeKind::smallint,
                            TypeKind::integer,  TypeKind::bigint,    TypeKind::hugeint,
                            TypeKind::utinyint, TypeKind::usmallint, TypeKind::uinteger,
                            TypeKind::ubigint,  TypeKind::real,      TypeKind::date};
  for (size_t i = 0; i < std::size(kinds); i++)
    table.columns.push_back({"c" + std::to_string(i), Type::of(kinds[i])});
  for (const int digits : {4, 9, 18, 38})
    table.columns.push_back({"d" + std::to_string(digits), Type::decimal(digits, 2)});
  uint64_t seed = 7;
  std::string content;
  for (int i = 0; i < 9100; i++) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    const char byte = static_cast<char>(seed >> 56);
    content += (seed >> 40 & 3) == 0 ? byte : (seed >> 40 & 3) == 1 ? '\xFF' : '\0';
  }
  for (const auto& column : table.columns) {
    const bool is_boolean = column.name == "c0";
    expect_same(content,
                "SELECT count(*), min(" + column.name + "), max(" + column.name + ")" +
                    (is_boolean || column.name == "c11" ? "" : ", sum(" + column.name + ")") +
                    " FROM fixed('table.csv', columns => 'x INTEGER')",
                table);
    expect_same(content,
                "SELECT " + column.name +
                    ", count(*) FROM fixed('table.csv', columns => 'x INTEGER') GROUP BY 1",
                table, 1000);
  }
}

TEST_P(NativeEdges, CommonDataNeedsNoEscapes) {
  const TableOptions table = {source::Format::csv,
                              ',',
                              '"',
                              {{"n", Type::of(TypeKind::bigint)},
                               {"a", Type::decimal(15, 2)},
                               {"d", Type::of(TypeKind::date)},
                               {"v", Type::of(TypeKind::varchar)},
                               {"r", Type::of(TypeKind::real)}}};
  std::string content;
  for (int i = 0; i < 1000; i++)
    content += std::to_string(i * 77777) + "," + std::to_string(i) + "." +
               std::to_string(10 + i % 90) + ",1996-02-" + std::to_string(10 + i % 20) +
               ",\"some, text\"," + std::to_string(i * 0.25) + "\r\n";
  EXPECT_EQ(
      expect_same(content,
                  "SELECT v, count(*), sum(n), sum(a * n), min(d), max(v), sum(r) FROM 'table.csv' "
                  "WHERE d >= DATE '1995-01-01' AND v LIKE '%tex%' GROUP BY v",
                  table),
      0u);
  EXPECT_EQ(expect_same("-5,,,,\n,,,,\n\"17\",\"1.5\",\"2000-02-29\",\"\",\"1e5\"\n",
                        "SELECT count(*), sum(n), sum(a), min(d), max(v), sum(r) FROM 'table.csv'",
                        table),
            0u);
}

}  // namespace
}  // namespace grapnel::lower_test
