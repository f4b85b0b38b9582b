// Values of fields, and what is said about those that do not fit.
#include "base/limits.h"
#include "source_test.h"

namespace grapnel::source {
namespace {

class RecordReaderTest : public ::testing::Test {
 protected:
  /// A table of these columns over a file with this content (header: none).
  const Source& open(std::string_view content, std::vector<Column> columns,
                     std::optional<char> delimiter = ',') {
    TableRequest request = request_of(directory_.write("t.csv", content));
    request.columns = std::move(columns);
    request.header = false;
    request.delimiter = delimiter;
    auto source = open_source(request, {});
    EXPECT_TRUE(source.ok()) << source.error().to_string();
    source_ = std::move(source).value();
    return *source_;
  }

  TestDirectory directory_;
  std::shared_ptr<const Source> source_;
};

const std::vector<Column> kTwo = {{"a", kBigint}, {"b", kVarchar}};

TEST_F(RecordReaderTest, EmptyFieldsAreNullQuotedOrNot) {
  EXPECT_EQ(rows_of(open("1,x\n,\n2,\"\"\n\"\",y", kTwo)),
            (std::vector<std::string>{"1|x", "~|~", "2|~", "~|y"}));
}

TEST_F(RecordReaderTest, QuotedFields) {
  EXPECT_EQ(rows_of(open("\"1\",\"x,y\"\n2,\"a \"\"b\"\" c\"\n3,\"p\r\nq\"\r\n4, \"s\"\n", kTwo)),
            (std::vector<std::string>{"1|x,y", "2|a \"b\" c", "3|p\r\nq", "4|s"}));
}

// "WHERE b = b": a value is still in use when its field is loaded once more.
TEST_F(RecordReaderTest, LoadedTextLivesUntilTheNextRecord) {
  const std::string text(100, 'x');
  const std::string record = "1,\"" + text + "\"\"\"";
  RecordReader reader(open(record + '\n', kTwo));
  reader.set_record(record, 0);
  const auto first = reader.load(1);
  const auto second = reader.load(1);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->text.data(), second->text.data());
  EXPECT_EQ(first->text, text + '"');
  reader.set_record("2,\"y\"\"\"", 200);
  EXPECT_EQ(reader.load(1)->text, "y\"");
}

TEST_F(RecordReaderTest, BlankLinesAndLineEnds) {
  EXPECT_EQ(rows_of(open("1,x\r\n\r\n2,y\n\n\n3,z", kTwo)),
            (std::vector<std::string>{"1|x", "2|y", "3|z"}));
  EXPECT_EQ(rows_of(open("1\n\n2\r\n\r\n", {{"a", kBigint}})),
            (std::vector<std::string>{"1", "~", "2", "~"}));
  EXPECT_EQ(rows_of(open("\r\n\n1\n", {{"a", kBigint}})),
            (std::vector<std::string>{"~", "~", "1"}));
  EXPECT_EQ(rows_of(open("\n\n1,x\n", kTwo)), (std::vector<std::string>{"1|x"}));
}

TEST_F(RecordReaderTest, TextIsKeptAsItStands) {
  EXPECT_EQ(rows_of(open("1, x \n2,\" y \"\n3,a\rb\n", kTwo)),
            (std::vector<std::string>{"1| x ", "2| y ", "3|a\rb"}));
}

TEST_F(RecordReaderTest, TrailingDelimiter) {
  const Source& source = open("1|x|\n2||\n", kTwo, '|');
  EXPECT_TRUE(source.layout.dialect.trailing_delimiter);
  EXPECT_EQ(rows_of(source), (std::vector<std::string>{"1|x", "2|~"}));
}

/// Error of one field of a record that stands in the middle of a file.
Error error_of(const Source& source, std::string_view record, uint64_t offset, uint32_t column) {
  RecordReader reader(source);
  reader.set_record(record, offset);
  auto value = reader.load(column);
  EXPECT_FALSE(value.ok());
  return value.ok() ? Error{} : value.error();
}

TEST_F(RecordReaderTest, ErrorsSayWhereAndWhat) {
  const std::string content = "1,x\n\"2\",\"y\nz\"\n3x,w\n";
  const Source& source = open(content, kTwo);
  const Error error = error_of(source, "3x,w", 14, 0);
  EXPECT_EQ(error.kind, ErrorKind::data);
  EXPECT_EQ(error.message, source.path + ", line 4, byte offset 14, column a: '3x' is no BIGINT");
  EXPECT_NE(error.hint.find("columns"), std::string::npos);
}

TEST_F(RecordReaderTest, ErrorOffsetIsTheField) {
  const Source& source = open("x,1\ny,2z\n", {{"a", kVarchar}, {"b", kBigint}});
  EXPECT_EQ(error_of(source, "y,2z", 4, 1).message,
            source.path + ", line 2, byte offset 6, column b: '2z' is no BIGINT");
}

TEST_F(RecordReaderTest, TextInErrorsIsShortenedAndEscaped) {
  const Source& source = open("1,x\n", kTwo);
  const std::string text = "a\tb\x01" + std::string(1000, 'c');
  const std::string message = error_of(source, text + ",x", 0, 0).message;
  EXPECT_NE(message.find("'a\\tb\\x01ccc"), std::string::npos) << message;
  EXPECT_NE(message.find("... (1004 bytes)"), std::string::npos) << message;
  EXPECT_LT(message.size(), 300u);
}

TEST_F(RecordReaderTest, WrongNumberOfFields) {
  const Source& source = open("1,x\n", kTwo);
  EXPECT_NE(error_of(source, "1", 0, 1).message.find("the record has only 1 field"),
            std::string::npos);
  EXPECT_NE(error_of(source, "1,x,2", 0, 1).message.find("the record has 3 fields, expected 2"),
            std::string::npos);
  EXPECT_NE(error_of(source, "1,x,", 0, 1).message.find("the record has 3 fields"),
            std::string::npos);
  // Fields that nobody asks for are not looked at.
  RecordReader reader(source);
  reader.set_record("1,x,2", 0);
  EXPECT_TRUE(reader.load(0).ok());
}

TEST_F(RecordReaderTest, StrayQuotesAreErrorsWhateverIsLoaded) {
  const Source& source = open("1,x\n", kTwo);
  RecordReader reader(source);
  for (const std::string_view record : {"1,a\"b", "1,\"a\"b", "1,\"a", "\"1,x"}) {
    reader.set_record(record, 0);
    EXPECT_FALSE(reader.check().ok()) << record;
    EXPECT_FALSE(reader.load(0).ok()) << record;
  }
  reader.set_record("1,\"ab\"", 0);
  EXPECT_TRUE(reader.check().ok());
}

TEST_F(RecordReaderTest, DeclaredTypesRoundSniffedOnesDoNot) {
  const op::Type decimal = op::Type::decimal(10, 2);
  const Source& declared = open("1,1.255\n", {{"a", kBigint}, {"b", decimal}});
  EXPECT_EQ(rows_of(declared), (std::vector<std::string>{"1|1.26"}));
  Source sniffed;
  sniffed.path = "t.csv";
  sniffed.layout.columns = {{"a", kBigint, true}, {"b", decimal, true}};
  EXPECT_NE(error_of(sniffed, "1,1.255", 0, 1).message.find("without rounding"), std::string::npos);
  EXPECT_NE(error_of(sniffed, "1.5,1", 0, 0).message.find("without rounding"), std::string::npos);
  EXPECT_NE(error_of(sniffed, "1,1.255", 0, 1).hint.find("columns"), std::string::npos);
  RecordReader reader(sniffed);
  reader.set_record("1.0, 1.2500", 0);
  EXPECT_EQ(reader.load(0)->integer, 1);
  EXPECT_EQ(reader.load(1)->integer, 125);
}

TEST_F(RecordReaderTest, LoadsInAnyOrderAndAgain) {
  const Source& source = open("1,\"a\"\"b\"\n", kTwo);
  RecordReader reader(source);
  reader.set_record("7,\"a\"\"b\"", 0);
  EXPECT_EQ(reader.load(1)->text, "a\"b");
  EXPECT_EQ(reader.load(0)->integer, 7);
  EXPECT_EQ(reader.load(1)->text, "a\"b");
  reader.set_record("8,c", 9);
  EXPECT_EQ(reader.load(1)->text, "c");
  EXPECT_EQ(reader.load(0)->integer, 8);
}

TEST_F(RecordReaderTest, TooLongRecord) {
  const Source& source = open("1,x\n", kTwo);
  const std::string record(limits::kRecordBytes + 1, 'x');
  RecordReader reader(source);
  reader.set_record(record, 0);
  const Status status = reader.check();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, ErrorKind::limit);
  EXPECT_NE(status.error().hint.find("quote => ''"), std::string::npos);
}

TEST_F(RecordReaderTest, Lines) {
  TableRequest request = request_of(directory_.write("a.log", "\xef\xbb\xbfone\r\n\n\"two\nlast"));
  request.format = Format::lines;
  const auto source = open_source(request, {});
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(rows_of(**source), (std::vector<std::string>{"one|3", "|8", "\"two|9", "last|14"}));
}

}  // namespace
}  // namespace grapnel::source
