#include <gtest/gtest.h>

#include "grapnel/grapnel.h"

namespace grapnel::api {
namespace {

TEST(Statistics, JsonRoundTrip) {
  Statistics statistics;
  statistics.table = "csv('a \"b\".tbl', delim => '|')";
  statistics.program = "native avx512";
  statistics.hook = "pipe";
  statistics.why = "least time";
  statistics.hooks.push_back({"pipe", 1000, 10, 1, 99, 2, 3, 4, 0.25, 5, 0.003, 0.0005, 8000});
  statistics.hooks.push_back({"read", 1, 1, 0, 0, 0, 1, 0, 0.5, 0, 0, 0, 0});
  statistics.stitched.records = 3;
  statistics.file_bytes = 1ULL << 60;
  statistics.records = 11;
  statistics.selected_records = 5;
  statistics.result_rows = 2;
  statistics.bytes_sent = 77;
  statistics.threads = 2;
  statistics.wall_seconds = 0.125;
  statistics.stability = "checked";
  statistics.warnings = {"grown", "a \xFF byte"};

  const std::string text = statistics.to_json();
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto read = Statistics::from_json(text);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->table, statistics.table);
  EXPECT_EQ(read->program, "native avx512");
  ASSERT_EQ(read->hooks.size(), 2U);
  EXPECT_EQ(read->hooks[0].name, "pipe");
  EXPECT_EQ(read->hooks[0].escape_bytes, 99U);
  EXPECT_EQ(read->hooks[1].cpu_seconds, 0.5);
  EXPECT_EQ(read->stitched.records, 3U);
  EXPECT_EQ(read->file_bytes, 1ULL << 60);
  EXPECT_EQ(read->wall_seconds, 0.125);
  EXPECT_EQ(read->warnings.size(), 2U);
  EXPECT_EQ(read->to_json(), Statistics::from_json(read->to_json())->to_json());
}

TEST(Statistics, UnknownKeysAndOddValuesAreSkipped) {
  const auto read = Statistics::from_json(R"({"records": 3, "new": [1], "hook": 5, "hooks": []})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->records, 3U);
  EXPECT_EQ(read->hook, "");
  for (const char* text : {"", "[]", "{", "3"}) EXPECT_FALSE(Statistics::from_json(text).ok());
}

TEST(Error, KindsHaveNames) {
  EXPECT_STREQ(to_string(ErrorKind::refused), "refused");
  EXPECT_STREQ(to_string(ErrorKind::internal), "internal");
}

TEST(Error, ShowsThePlace) {
  Error error{ErrorKind::refused, "no column 'x'", "there is y", 0, 7};
  const std::string text = error.to_string("SELECT x FROM 'a.csv'");
  EXPECT_NE(text.find("no column 'x'"), std::string::npos);
  EXPECT_NE(text.find("SELECT x FROM"), std::string::npos);
  EXPECT_NE(text.find("^"), std::string::npos);
  EXPECT_NE(text.find("there is y"), std::string::npos);
  EXPECT_NE(text.back(), '\n');
}

}  // namespace
}  // namespace grapnel::api
