// Where records end, and that a file cut anywhere gives the same records.
#include <random>

#include "source_test.h"

namespace grapnel::source {
namespace {

Layout csv_layout(size_t columns = 2) {
  Layout layout;
  for (size_t i = 0; i < columns; ++i)
    layout.columns.push_back({"c" + std::to_string(i), kVarchar});
  return layout;
}

/// Start offsets of all records, in one pass.
std::vector<size_t> starts_of(const Layout& layout, std::string_view text) {
  std::vector<size_t> starts;
  for (size_t at = 0; at < text.size();) {
    const auto record = next_record(layout, text.substr(at), true);
    if (!record) break;
    starts.push_back(at);
    at += record->consumed;
  }
  return starts;
}

/// State of the byte at `offset`, by counting quotes.
QuoteState state_at(const Layout& layout, std::string_view text, size_t offset) {
  bool inside = false;
  for (const char c : text.substr(0, offset))
    inside ^= layout.format == Format::csv && c == layout.dialect.quote;
  return inside ? QuoteState::inside : QuoteState::outside;
}

/// Cut at `at` into two extents, stitched as the scan does it: the records are those of one pass.
void expect_same_records_when_cut(const Layout& layout, std::string_view text, size_t at) {
  const std::vector<size_t> expected = starts_of(layout, text);
  const std::string_view first = text.substr(0, at);
  const std::string_view second = text.substr(at);
  std::vector<size_t> starts;
  size_t position = 0;
  while (position < first.size()) {
    const auto record = next_record(layout, first.substr(position), false);
    if (!record) break;
    starts.push_back(position);
    position += record->consumed;
  }
  QuoteState end_state = QuoteState::outside;
  const auto head = find_record_start(layout, second, state_at(layout, text, at), &end_state);
  const size_t head_end = head.value_or(second.size());
  // What is left of the first extent and the head of the second: one record, or nothing.
  const std::string stitched =
      std::string(first.substr(position)) + std::string(second.substr(0, head_end));
  if (!stitched.empty()) {
    const auto record = next_record(layout, stitched, true);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->consumed, stitched.size());
    starts.push_back(position);
  }
  if (head) {
    for (const size_t start : starts_of(layout, second.substr(head_end)))
      starts.push_back(at + head_end + start);
  } else {
    EXPECT_EQ(end_state, state_at(layout, text, text.size()));
  }
  EXPECT_EQ(starts, expected) << "cut at " << at << " of " << text;
}

TEST(RecordSplit, EndsAndContents) {
  const Layout layout = csv_layout();
  const auto check = [&](std::string_view text, bool last, size_t content, size_t consumed) {
    const auto record = next_record(layout, text, last);
    ASSERT_TRUE(record) << text;
    EXPECT_EQ(record->content_size, content) << text;
    EXPECT_EQ(record->consumed, consumed) << text;
  };
  check("a,b\nc", false, 3, 4);
  check("a,b\r\nc", false, 3, 5);
  check("\n", false, 0, 1);
  check("\r\n", false, 0, 2);
  check("a,b", true, 3, 3);
  check("a,b\r", true, 3, 4);
  check("\"a\nb\",c\nd", false, 7, 8);
  check("\"a\"\"\nb\",c\nd", false, 9, 10);
  check("a\rb\n", false, 3, 4);
  check("\"never closed\nx", true, 15, 15);
  EXPECT_FALSE(next_record(layout, "a,b", false));
  EXPECT_FALSE(next_record(layout, "\"a\n", false));
  EXPECT_FALSE(next_record(layout, "", true));
}

TEST(RecordSplit, WithoutQuotingEveryNewlineEnds) {
  Layout layout = csv_layout();
  layout.dialect.quote = '\0';
  EXPECT_EQ(next_record(layout, "\"a\nb\"\n", false)->consumed, 3u);
  layout.format = Format::lines;
  layout.dialect.quote = '"';
  EXPECT_EQ(next_record(layout, "\"a\nb\"\n", false)->consumed, 3u);
}

TEST(RecordSplit, FixedRecordsBySize) {
  Layout layout;
  layout.format = Format::fixed;
  layout.record_bytes = 4;
  EXPECT_EQ(next_record(layout, "abcdefgh", false)->consumed, 4u);
  EXPECT_FALSE(next_record(layout, "abc", true));
  EXPECT_EQ(find_record_start(layout, "abcdefgh", QuoteState::outside), 4u);
  EXPECT_FALSE(find_record_start(layout, "abc", QuoteState::outside));
}

TEST(RecordSplit, RecordStartNeedsTheQuoteState) {
  const Layout layout = csv_layout();
  EXPECT_EQ(find_record_start(layout, "x\ny\",1\nz", QuoteState::outside), 2u);
  EXPECT_EQ(find_record_start(layout, "x\ny\",1\nz", QuoteState::inside), 7u);
  QuoteState end = QuoteState::outside;
  EXPECT_FALSE(find_record_start(layout, "x\ny", QuoteState::inside, &end));
  EXPECT_EQ(end, QuoteState::inside);
  EXPECT_FALSE(find_record_start(layout, "xy\",", QuoteState::inside, &end));
  EXPECT_EQ(end, QuoteState::outside);
  EXPECT_EQ(find_record_start(layout, "\nabc\n", QuoteState::outside), 1u);
}

TEST(RecordSplit, AnyCutGivesTheSameRecords) {
  const std::vector<std::string> texts = {
      "a,b\n1,2\n3,4\n",
      "a,b\r\n1,2\r\n\r\n3,4",
      "\"x\ny\",1\n\"\"\"\n\"\"\",2\n,\"\"\n\n\n\"a\"\"b\",\"\r\n\"\r\n",
      "\n\n\n",
      "\"\"\n\"\"\n",
      "stray\"quote,1\nand,\"another\nx,y\n",
      "\"never closed\nat all,1\n",
      "x",
  };
  for (const std::string& text : texts) {
    for (size_t at = 0; at <= text.size(); ++at) {
      expect_same_records_when_cut(csv_layout(), text, at);
      Layout lines = csv_layout(1);
      lines.format = Format::lines;
      expect_same_records_when_cut(lines, text, at);
    }
  }
}

TEST(RecordSplit, AnyCutOfRandomTextGivesTheSameRecords) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string alphabet = "ab,,\"\"\"\n\n\r";
  for (int round = 0; round < 200; ++round) {
    std::string text;
    const size_t size = random() % 80;
    while (text.size() < size) text.push_back(alphabet[random() % alphabet.size()]);
    for (size_t at = 0; at <= text.size(); ++at)
      expect_same_records_when_cut(csv_layout(), text, at);
  }
}

}  // namespace
}  // namespace grapnel::source
