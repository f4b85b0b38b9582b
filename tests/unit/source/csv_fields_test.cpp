#include "source/csv_fields.h"

#include "source_test.h"

namespace grapnel::source {
namespace {

/// Fields by '|', quoted ones in angle brackets; a fault as "fault at N".
std::string cut(std::string_view record, char quote = '"') {
  Dialect dialect;
  dialect.quote = quote;
  std::vector<CsvField> fields;
  if (const auto fault = split_record(dialect, record, fields))
    return "fault at " + std::to_string(fault->position);
  std::string text;
  for (const CsvField& field : fields) {
    if (&field != &fields.front()) text += "|";
    const std::string value = field.has_doubled_quotes ? without_doubled_quotes(field.bytes, quote)
                                                       : std::string(field.bytes);
    text += field.quoted ? "<" + value + ">" : value;
  }
  return text;
}

TEST(CsvFields, CutsAtDelimitersOutsideQuotes) {
  EXPECT_EQ(cut("a,b,c"), "a|b|c");
  EXPECT_EQ(cut(""), "");
  EXPECT_EQ(cut(","), "|");
  EXPECT_EQ(cut("a,,"), "a||");
  EXPECT_EQ(cut("\"a,b\",c"), "<a,b>|c");
  EXPECT_EQ(cut("c,\"a\nb\""), "c|<a\nb>");
  EXPECT_EQ(cut("\"\",x"), "<>|x");
}

TEST(CsvFields, DoubledQuotesStandForOne) {
  EXPECT_EQ(cut("\"say \"\"hi\"\"\",1"), "<say \"hi\">|1");
  EXPECT_EQ(cut("\"\"\"\""), "<\">");
  EXPECT_EQ(cut("\"\"\"\"\"\""), "<\"\">");
}

TEST(CsvFields, SpacesAroundQuotesAreDropped) {
  EXPECT_EQ(cut("1, \"x,y\""), "1|<x,y>");
  EXPECT_EQ(cut("\"x\"  ,1"), "<x>|1");
  EXPECT_EQ(cut(" x ,1"), " x |1");
}

TEST(CsvFields, QuotesElsewhereAreFaults) {
  EXPECT_EQ(cut("a\"b,c"), "fault at 1");
  EXPECT_EQ(cut("1,ab\"cd\""), "fault at 4");
  EXPECT_EQ(cut("\"ab\"c,1"), "fault at 3");
  EXPECT_EQ(cut("x,\"ab"), "fault at 2");
  EXPECT_EQ(cut("\"a\\\"b\",2"), "fault at 3");
  EXPECT_EQ(cut("\"\"\""), "fault at 0");
}

TEST(CsvFields, WithoutQuotingQuotesAreOrdinary) {
  EXPECT_EQ(cut("a\"b,\"c", '\0'), "a\"b|\"c");
  EXPECT_EQ(cut("'a,b',\"", '\''), "<a,b>|\"");
}

}  // namespace
}  // namespace grapnel::source
