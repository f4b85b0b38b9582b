#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/number_text.h"
#include "cli/progress_line.h"
#include "cli/sql_text.h"
#include "cli/text_width.h"

namespace grapnel::cli {
namespace {

TEST(TextWidth, CountsColumns) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("Ærø"), 3U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);  // combining acute accent
  EXPECT_EQ(display_width("😀"), 2U);
}

TEST(TextWidth, Shortens) {
  EXPECT_EQ(shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(shorten("abcdef", 4), "abc…");
  EXPECT_EQ(shorten("日本語", 4), "日…");
  EXPECT_EQ(shorten("abc", 0), "");
}

TEST(TextWidth, PrintableSpellsOut) {
  EXPECT_EQ(printable("a\tb\x7f"), "a\\tb\\x7f");
  EXPECT_EQ(printable("\xFFok"), "\\xffok");
  EXPECT_EQ(printable("\xC2\x85"), "\\x85");  // a C1 control
  EXPECT_EQ(printable("\xE2\x80\xAE"
                      "abc"),
            "\\u202eabc");  // right-to-left override
  EXPECT_EQ(printable("日本"), "日本");
}

TEST(Progress, Text) {
  EXPECT_EQ(bytes_text(0), "0 bytes");
  EXPECT_EQ(bytes_text(999), "999 bytes");
  EXPECT_EQ(bytes_text(759'900'000), "759.9 MB");
  EXPECT_EQ(bytes_text(2.34e9), "2.34 GB");
  const std::string text = progress_text({400'000'000, 800'000'000, 0.5, "read"});
  EXPECT_EQ(text, " 50 %  400.0 MB of 800.0 MB  800.0 MB/s  read  0.5 s left");
  EXPECT_FALSE(progress_text({}).empty());  // nothing known yet: no division by zero
}

TEST(Summary, NamesWhoDidIt) {
  api::Statistics statistics;
  statistics.records = 6001215;
  statistics.selected_records = 114160;
  statistics.hook = "read";
  statistics.program = "native avx512";
  statistics.wall_seconds = 0.149;
  statistics.hooks.push_back({"read", 759'900'000, 6001215, 0, 0, 0, 759'900'000, 0, 0.3});
  EXPECT_EQ(summary_text(statistics),
            "114160 of 6001215 records, 759.9 MB read by 'read' (native avx512) in 0.15 s, "
            "5.10 GB/s");
  statistics.hooks[0].bytes = 300'000'000;
  statistics.hooks.push_back({"direct", 100'000'000, 9, 0, 0, 0, 0, 0, 0});
  EXPECT_NE(summary_text(statistics).find("400.0 MB read by 'read' 75 %, 'direct' 25 % ("),
            std::string::npos);
}

TEST(Schema, QuotesPaths) {
  EXPECT_EQ(describe_statement("a b.csv"), "DESCRIBE 'a b.csv'");
  EXPECT_EQ(describe_statement("o'clock.csv"), "DESCRIBE 'o''clock.csv'");
  EXPECT_EQ(describe_statement("csv('x', delim => '|')"), "DESCRIBE csv('x', delim => '|')");
}

}  // namespace
}  // namespace grapnel::cli
