// What is found out about small files, beside what DuckDB 2.0.0 (sniff_csv) finds.
#include "source_test.h"

namespace grapnel::source {
namespace {

using namespace std::string_view_literals;

struct Case {
  std::string_view content;
  const char* expected;  ///< delimiter, quote, header or data | columns; or "error"
  const char* duckdb;    ///< what DuckDB finds, where that differs in more than the quote
  const char* reason;    ///< why it differs
};

/// The quote is '"' here where nothing is quoted in the sample; DuckDB then says that there is
/// none.
constexpr Case kCases[] = {
    {"a,b\n1,2\n"sv, ", \" header | a BIGINT, b BIGINT", "", ""},
    {"a;b\n1;2\n"sv, "; \" header | a BIGINT, b BIGINT", "", ""},
    {"a\tb\n1\t2\n"sv, "\\t \" header | a BIGINT, b BIGINT", "", ""},
    {"a|b\n1|2\n"sv, "| \" header | a BIGINT, b BIGINT", "", ""},
    {"1,x\n2,y\n"sv, ", \" data | column0 BIGINT, column1 VARCHAR", "", ""},
    {"a,b\nx,y\nz,w\n"sv, ", \" header | a VARCHAR, b VARCHAR", "", ""},
    {"a,b\n"sv, ", \" header | a VARCHAR, b VARCHAR", "", ""},
    {"1\n"sv, ", \" data | column0 BIGINT", "", ""},
    {"x\n"sv, ", \" header | x VARCHAR", "", ""},
    {"a,1\n"sv, ", \" data | column0 VARCHAR, column1 BIGINT", "", ""},
    {"1,2,3,4,5,6,7,8,9,10,11\n1,2,3,4,5,6,7,8,9,10,11\n"sv,
     ", \" data | column00 BIGINT, column01 BIGINT, column02 BIGINT, column03 BIGINT, column04 "
     "BIGINT, column05 BIGINT, column06 BIGINT, column07 BIGINT, column08 BIGINT, column09 BIGINT, "
     "column10 BIGINT",
     "", ""},
    {"\357\273\277a,b\n1,2\n"sv, ", \" header | a BIGINT, b BIGINT", "", ""},
    {"a,b\r\n1,2\r\n"sv, ", \" header | a BIGINT, b BIGINT", "", ""},
    {"a,b\n1,2"sv, ", \" header | a BIGINT, b BIGINT", "", ""},
    {"\n\na,b\n1,2\n"sv, ", \" header | a BIGINT, b BIGINT", "", ""},
    {"\n1\n2\n"sv, ", \" data | column0 BIGINT", "", ""},
    {"a\n1\n\n2\n"sv, ", \" header | a BIGINT", "", ""},
    {"a,b\n\"x\ny\",2\n\"z \"\"q\"\" w\",3\n"sv, ", \" header | a VARCHAR, b BIGINT", "", ""},
    {"\"a,b\",\"c\"\n1,2\n"sv, ", \" header | a,b BIGINT, c BIGINT", "", ""},
    {"a,b\n'x,y',2\n'z',3\n"sv, ", ' header | a VARCHAR, b BIGINT", "", ""},
    {"a,b\nit's,2\nthat's,3\n"sv, ", \" header | a VARCHAR, b BIGINT", "", ""},
    {"a,b\n1,ab\"c\n2,x\n"sv, ", - header | a BIGINT, b VARCHAR", "", ""},
    {"a|b\n5\" pipe|2\n6\" pipe|3\n"sv, "| - header | a VARCHAR, b BIGINT", "", ""},
    {"a, b\n1, \"x,y\"\n"sv, ", \" header | a BIGINT, b VARCHAR", "", ""},
    {"a,b\n\"1\",\"2\"\n\"3\",\"4\"\n"sv, ", \" header | a BIGINT, b BIGINT", "", ""},
    {"\"1\",\"2\"\n3,4\n"sv, ", \" data | column0 BIGINT, column1 BIGINT", "", ""},
    {"a,a,b,A\n1,2,3,4\n"sv, ", \" header | a BIGINT, a_1 BIGINT, b BIGINT, A_2 BIGINT", "", ""},
    {"a,a_1,a,a,b\n1,2,3,4,5\n"sv,
     ", \" header | a BIGINT, a_1 BIGINT, a_1_1 BIGINT, a_2 BIGINT, b BIGINT", "", ""},
    {"a,,b,\n1,2,3,4\n"sv, ", \" header | a BIGINT, column1 BIGINT, b BIGINT, column3 BIGINT", "",
     ""},
    {"column1,,x\n1,2,3\n"sv, ", \" header | column1 BIGINT, column1_1 BIGINT, x BIGINT", "", ""},
    {" a ,\"b c\",a\n1,2,3\n"sv, ", \" header | a BIGINT, b c BIGINT, a_1 BIGINT", "", ""},
    {",,\n1,2,3\n"sv, ", \" header | column0 BIGINT, column1 BIGINT, column2 BIGINT", "", ""},
    {",5\n1,2\n"sv, ", \" data | column0 BIGINT, column1 BIGINT", "", ""},
    {"a,b\n,2\n,3\n"sv, ", \" header | a VARCHAR, b BIGINT", "", ""},
    {"a,b\n1,2\n3,\n"sv, ", \" header | a BIGINT, b BIGINT", "", ""},
    {"a,b\n\"\",\"\"\nx,z\n"sv, ", \" header | a VARCHAR, b VARCHAR", "", ""},
    {"a\n9223372036854775807\n"sv, ", \" header | a BIGINT", "", ""},
    {"a\n9223372036854775808\n"sv, ", \" header | a HUGEINT", "", ""},
    {"a\n1\n99999999999999999999999999999999999999999\n"sv, ", \" header | a VARCHAR",
     ", - header | a BIGNUM", "more than 128 bits; grapnel has no BIGNUM"},
    {"a\n007\n010\n"sv, ", \" header | a VARCHAR", "", ""},
    {"a\n-007\n"sv, ", \" header | a BIGINT", "", ""},
    {"a\n+1\n"sv, ", \" header | a VARCHAR", "", ""},
    {"a\n-0\n"sv, ", \" header | a BIGINT", "", ""},
    {"a,b\n 1, 2\n3 ,4\n"sv, ", \" header | a BIGINT, b BIGINT", "", ""},
    {"a\n1_000\n"sv, ", \" header | a VARCHAR", "", ""},
    {"a\n0x10\n"sv, ", \" header | a VARCHAR", ", - header | a BIGINT",
     "hexadecimal is no number here"},
    {"a\n1.5\n-2.25\n"sv, ", \" header | a DECIMAL(18,2)", ", - header | a DOUBLE",
     "numbers with a point whose digits fit are exact"},
    {"a\n1\n1.5\n"sv, ", \" header | a DECIMAL(18,1)", ", - header | a DOUBLE",
     "numbers with a point whose digits fit are exact"},
    {"a\n.5\n5.\n"sv, ", \" header | a DECIMAL(18,1)", ", - header | a DOUBLE",
     "numbers with a point whose digits fit are exact"},
    {"a\n1e5\n2\n"sv, ", \" header | a DOUBLE", "", ""},
    {"a\n1.5\n1e5\n"sv, ", \" header | a DOUBLE", "", ""},
    {"a\nnan\n1.5\n"sv, ", \" header | a DOUBLE", "", ""},
    {"a\n12345678901234567890.5\n"sv, ", \" header | a DECIMAL(38,1)", ", - header | a DOUBLE",
     "numbers with a point whose digits fit are exact"},
    {"a\n0.1\n0.30000000000000004\n"sv, ", \" header | a DOUBLE", "", ""},
    {"a\n00.5\n"sv, ", \" header | a VARCHAR", "", ""},
    {"a\n2020-01-01\n2020-2-3\n"sv, ", \" header | a DATE", "", ""},
    {"a\n2020/01/01\n"sv, ", \" header | a DATE", "", ""},
    {"a\n20200101\n"sv, ", \" header | a BIGINT", "", ""},
    {"a\n01/02/2020\n"sv, ", \" header | a VARCHAR", ", - header | a DATE",
     "only year-month-day is a date: 01/02 is January to some"},
    {"a\n2020-13-01\n"sv, ", \" header | a VARCHAR", "", ""},
    {"a\n2020-01-01 10:00:00\n"sv, ", \" header | a VARCHAR", ", - header | a TIMESTAMP",
     "no TIMESTAMP yet"},
    {"a\n12:30:00\n"sv, ", \" header | a VARCHAR", ", - header | a TIME", "no TIME yet"},
    {"a\n2020-01-01\n5\n"sv, ", \" header | a VARCHAR", "", ""},
    {"a\ntrue\nFALSE\nt\n"sv, ", \" header | a BOOLEAN", "", ""},
    {"a\nyes\nno\n"sv, ", \" header | a BOOLEAN", "", ""},
    {"a\ny\nn\n"sv, ", \" header | a VARCHAR", "", ""},
    {"a\ntrue\n0\n"sv, ", \" header | a VARCHAR", "", ""},
    {"1.5,5\n1,2\n"sv, ", \" data | column0 DECIMAL(18,1), column1 BIGINT",
     ", - header | 1.5 BIGINT, 5 BIGINT", "numbers with a point whose digits fit are exact"},
    {"007,5\n1,2\n"sv, ", \" data | column0 VARCHAR, column1 BIGINT",
     ", - header | 007 BIGINT, 5 BIGINT",
     "a record of numbers is data, even where other types follow"},
    {"5,5\n1.5,2\n"sv, ", \" data | column0 DECIMAL(18,1), column1 BIGINT",
     ", - data | column0 DOUBLE, column1 BIGINT",
     "numbers with a point whose digits fit are exact"},
    {"2020-01-01,5\n2020-01-02,2\n"sv, ", \" data | column0 DATE, column1 BIGINT", "", ""},
    {"1|2|\n3|4|\n"sv, "| \" data | column0 BIGINT, column1 BIGINT",
     "| - data | column0 BIGINT, column1 BIGINT, column2 VARCHAR",
     "a delimiter at the end of every row is no column"},
    {"a|b|\n3|4|\n"sv, "| \" header | a BIGINT, b BIGINT",
     "| - header | a BIGINT, b BIGINT, column2 VARCHAR",
     "a delimiter at the end of every row is no column"},
    {"a|b\n3|4|\n5|6|\n"sv, "| \" header | a BIGINT, b BIGINT", "", ""},
    {"a,b\n1,\n2,\n"sv, ", \" header | a BIGINT, b VARCHAR", "", ""},
    {"a;b\n1,5;2,5\n3,5;4,5\n"sv, "; \" header | a VARCHAR, b VARCHAR",
     ", - data | column0 BIGINT, column1 VARCHAR, column2 BIGINT",
     "DuckDB skips the header to find more columns"},
    {"a|b,c|d\n1|2,3|4\n"sv, "| \" header | a BIGINT, b,c VARCHAR, d BIGINT", "", ""},
    {"hello\nworld\n"sv, ", \" header | hello VARCHAR", "", ""},
    {"a,b\n1\n2,z\n"sv, "error", "| - header | a,b VARCHAR",
     "a line of another shape is an error, not a reason to see one column"},
    {"My title\na,b\n1,2\n3,4\n"sv, "error", ", - header | a BIGINT, b BIGINT",
     "nothing is skipped: the title has to go"},
    {"#c\na,b\n1,2\n"sv, "error", ", - header | a BIGINT, b BIGINT",
     "nothing is skipped: the comment has to go"},
    {"a,b\n1,2\n  \n3,4\n"sv, "error", "| - header | a,b VARCHAR",
     "a line of another shape is an error, not a reason to see one column"},
    {"a,b\r1,x\r2,y\r"sv, "error", ", - header | a BIGINT, b VARCHAR", "CR alone ends no line"},
    {"a,b\r\n1,x\n2,y\r\n"sv, ", \" header | a BIGINT, b VARCHAR", "error",
     "LF and CRLF may be mixed"},
    {"a,b\n\"x\\\"y\",2\n"sv, "error", ", \" header | a VARCHAR, b BIGINT",
     "only doubled quotes are an escape"},
    {""sv, "error", ", - data | column0 VARCHAR", "columns of an empty file must be declared"},
};

std::string found(const std::string& path) {
  const auto source = open_source(request_of(path), {});
  if (!source.ok()) return "error";
  const Layout& layout = (*source)->layout;
  const Dialect& dialect = layout.dialect;
  std::string text = dialect.delimiter == '\t' ? "\\t" : std::string(1, dialect.delimiter);
  text += std::string(" ") + (dialect.quote == '\0' ? '-' : dialect.quote);
  return text + (dialect.header ? " header | " : " data | ") + columns_text(layout);
}

TEST(Sniff, SmallFilesBesideDuckDb) {
  TestDirectory directory;
  for (const Case& c : kCases) {
    EXPECT_EQ(found(directory.write("t.csv", c.content)), c.expected) << c.content;
    EXPECT_EQ(*c.duckdb == '\0', *c.reason == '\0') << c.content;
  }
}

class SniffTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<const Source>> open(std::string_view content) {
    request_.path = directory_.write(name_, content);
    return open_source(request_, {});
  }
  std::string columns(std::string_view content) {
    const auto source = open(content);
    return source.ok() ? columns_text((*source)->layout) : source.error().to_string();
  }
  std::vector<std::string> rows(std::string_view content) {
    const auto source = open(content);
    EXPECT_TRUE(source.ok()) << source.error().to_string();
    return source.ok() ? rows_of(**source) : std::vector<std::string>{};
  }

  TestDirectory directory_;
  TableRequest request_;
  std::string name_ = "t.csv";
};

TEST_F(SniffTest, TheNameSpeaksForItsDelimiter) {
  name_ = "t.tsv";
  EXPECT_EQ(columns("a\tb,c,d\n1\t2,3,4\n"), "a BIGINT, b,c,d VARCHAR");
  name_ = "t.tbl";
  EXPECT_EQ(columns("1|2,3,4\n5|6,7,8\n"), "column0 BIGINT, column1 VARCHAR");
  name_ = "t.csv";
  EXPECT_EQ(columns("1|2,3,4\n5|6,7,8\n"), "column0 VARCHAR, column1 BIGINT, column2 BIGINT");
}

TEST_F(SniffTest, StatedOptionsAreTaken) {
  request_.delimiter = '-';
  EXPECT_EQ(open("a,b\n").error().kind, ErrorKind::usage);
  request_.delimiter = ':';
  EXPECT_EQ(columns("a:b\n1:2\n"), "a BIGINT, b BIGINT");
  request_.header = false;
  EXPECT_EQ(columns("a:b\n1:2\n"), "column0 VARCHAR, column1 VARCHAR");
  request_.quote = '\0';
  EXPECT_EQ(rows("\"a:b\"\n"), std::vector<std::string>{"\"a|b\""});
  request_ = {};
  request_.header = true;
  EXPECT_EQ(columns("1,2\n3,4\n"), "1 BIGINT, 2 BIGINT");
}

TEST_F(SniffTest, DeclaredColumnsAndTheHeader) {
  const Column text{"p", kVarchar};
  const Column number{"q", kBigint};
  request_.columns = {text, number};
  EXPECT_EQ(rows("1,2\n3,4\n"), (std::vector<std::string>{"1|2", "3|4"}));
  EXPECT_EQ(rows("a,b\nx,1\n"), std::vector<std::string>{"x|1"});
  // A declared number column takes what converts, as data; DuckDB loses these rows as headers.
  EXPECT_EQ(rows("a,007\nb,8\n"), (std::vector<std::string>{"a|7", "b|8"}));
  EXPECT_EQ(rows("a,+7\nb,8\n"), (std::vector<std::string>{"a|7", "b|8"}));
  // Text alone: the first record counts as a header, as in DuckDB, unless the user says otherwise.
  request_.columns = {text, {"q", kVarchar}};
  EXPECT_EQ(rows("a,b\nx,y\n"), std::vector<std::string>{"x|y"});
  EXPECT_EQ(rows("p,q\nx,y\n"), std::vector<std::string>{"x|y"});
  request_.header = false;
  EXPECT_EQ(rows("a,b\nx,y\n"), (std::vector<std::string>{"a|b", "x|y"}));
  request_.header = true;
  request_.columns = {number, number};
  EXPECT_EQ(rows("1,2\n3,4\n"), std::vector<std::string>{"3|4"});
}

TEST_F(SniffTest, DeclaredColumnsChooseTheDelimiter) {
  request_.columns = {{"a", kVarchar}};
  request_.header = false;
  EXPECT_EQ(rows("x,y\nz,w\n"), (std::vector<std::string>{"x,y", "z,w"}));
  request_.columns = {{"a", kVarchar}, {"b", kVarchar}};
  EXPECT_EQ(rows("1,5;2,5\n3,5;4,5\n"), (std::vector<std::string>{"1,5|2,5", "3,5|4,5"}));
  const auto wrong = open("1;2;3\n");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().kind, ErrorKind::data);
  EXPECT_NE(wrong.error().message.find("names 2 columns, but the records have 3"),
            std::string::npos);
}

TEST_F(SniffTest, DeclaredColumnsKeepALastColumnOfNulls) {
  request_.columns = {{"a", kBigint}, {"b", kBigint}};
  EXPECT_EQ(rows("1,\n2,\n"), (std::vector<std::string>{"1|~", "2|~"}));
  EXPECT_EQ(rows("1,2,\n3,4,\n"), (std::vector<std::string>{"1|2", "3|4"}));
}

TEST_F(SniffTest, EmptyAndDoubledQuotes) {
  EXPECT_EQ(rows("a,b\n\"\",\"x\"\"y\"\n1,\n"), (std::vector<std::string>{"~|x\"y", "1|~"}));
}

TEST_F(SniffTest, DecimalsLeaveRoom) {
  EXPECT_EQ(columns("a\n12345678901234.25\n"), "a DECIMAL(18,2)");
  EXPECT_EQ(columns("a\n123456789012345.25\n"), "a DECIMAL(38,2)");
  EXPECT_EQ(columns("a\n0.123456789012345678\n"), "a DECIMAL(38,18)");
  EXPECT_EQ(columns("a\n0.123456789012345678\n0.5\n"), "a DOUBLE");
  EXPECT_EQ(columns("a\n1234567890123456789012345678901234567.25\n"), "a DOUBLE");
  EXPECT_EQ(columns("a\n5.\n6.\n"), "a DECIMAL(18,0)");
}

TEST_F(SniffTest, TypesAreSeenLaterInTheFileToo) {
  std::string content = "id,x\n";
  while (content.size() < 400'000) content += "1,2\n";
  content += "1,2.50\n";
  EXPECT_EQ(columns(content), "id BIGINT, x DECIMAL(18,2)");
  while (content.size() < 800'000) content += "1,2\n";
  EXPECT_EQ(columns(content), "id BIGINT, x BIGINT");  // between the samples: an error when read
  const auto rows_read = rows(content);
  const auto error = std::find_if(rows_read.begin(), rows_read.end(), [](const std::string& row) {
    return row.find("'2.50' is no BIGINT without rounding") != std::string::npos;
  });
  EXPECT_NE(error, rows_read.end());
}

TEST_F(SniffTest, LongFirstRecord) {
  const std::string text(3'000'000, 'x');
  EXPECT_EQ(columns("\"" + text + "\n\",1\n\"y\",2\n"), "column0 VARCHAR, column1 BIGINT");
}

TEST_F(SniffTest, ErrorsNameTheLine) {
  const auto uneven = open("a,b\n1,2\n3,4,5\n6,7\n");
  ASSERT_FALSE(uneven.ok());
  EXPECT_EQ(uneven.error().message,
            request_.path +
                ", line 3, byte offset 8: the record has 3 fields where the delimiter "
                "is ',', but most have 2: '3,4,5'");
  const auto stray = open("a,b\n\"x\",2\n\"y\"z,3\n");
  ASSERT_FALSE(stray.ok());
  EXPECT_NE(stray.error().message.find("line 3, byte offset 12"), std::string::npos)
      << stray.error().message;
}

TEST_F(SniffTest, TooManyColumns) {
  const auto wide = open(std::string(5000, ',') + "\n");
  ASSERT_FALSE(wide.ok());
  EXPECT_EQ(wide.error().kind, ErrorKind::limit);
}

}  // namespace
}  // namespace grapnel::source
