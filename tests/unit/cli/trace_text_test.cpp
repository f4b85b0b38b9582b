#include "cli/trace_text.h"

#include <gtest/gtest.h>

#include "cli/text_width.h"

namespace grapnel::cli {
namespace {

TEST(TraceText, NumbersTakeAtMostFiveColumns) {
  EXPECT_EQ(short_number(0), "-");
  EXPECT_EQ(short_number(7), "7");
  EXPECT_EQ(short_number(999), "999");
  EXPECT_EQ(short_number(1000), "1.00k");
  EXPECT_EQ(short_number(9994), "9.99k");
  EXPECT_EQ(short_number(9996), "10.0k");
  EXPECT_EQ(short_number(123'456), "123k");
  EXPECT_EQ(short_number(999'949), "1.00M");
  EXPECT_EQ(short_number(~uint64_t{0}), "18.4E");
  for (uint64_t value = 1; value < (uint64_t{1} << 62); value = value * 3 + 1)
    EXPECT_LE(short_number(value).size(), 5U) << value;
}

TEST(TraceText, TimesTakeAtMostFiveColumns) {
  EXPECT_EQ(short_time(0), "-");
  EXPECT_EQ(short_time(1), "1ns");
  EXPECT_EQ(short_time(1'234), "1.2us");
  EXPECT_EQ(short_time(45'678), "46us");
  EXPECT_EQ(short_time(999'600), "1.0ms");
  EXPECT_EQ(short_time(3'000'000'000), "3.0s");
  for (uint64_t ns = 1; ns < 10'000'000'000'000; ns = ns * 3 + 1)
    EXPECT_LE(short_time(ns).size(), 5U) << ns;
}

api::TraceRow row_of(const std::string& path, uint64_t device_bytes) {
  api::TraceRow row;
  row.process = {api::TraceProcess::Kind::process, 4711, "cat", 1};
  row.file = {path, true, 1, 8, 1};
  row.counts.device_bytes = device_bytes;
  row.counts.requests = 1;
  return row;
}

TEST(TraceText, KernelThreadsAreNoProcesses) {
  using Kind = api::TraceProcess::Kind;
  EXPECT_EQ(process_text({Kind::process, 1, "cat", 1}), "cat");
  EXPECT_EQ(process_text({Kind::kernel_for, 1, "cat", 1}), "kernel for cat");
  EXPECT_EQ(process_text({Kind::kernel, 1, "kworker/0:1", 1}), "[kworker/0:1]");
  EXPECT_EQ(process_text({Kind::unknown, 0, "", 0}), "unknown");
  EXPECT_EQ(process_text({Kind::process, 1, "a\nb", 1}), "a\\nb");
}

TEST(TraceText, RowsAreSortedCutAndFit) {
  api::TraceInterval interval;
  interval.rows = {row_of("/small", 1), row_of("/" + std::string(200, 'x') + "/large", 1 << 20),
                   row_of("/\xff\n", 10)};
  const std::string text = rows_text(interval, {80, 2, false});
  EXPECT_LT(text.find("/large"), text.find("\\xff"));
  EXPECT_EQ(text.find("/small"), std::string::npos);
  EXPECT_NE(text.find("1 more row"), std::string::npos);
  for (size_t at = 0, end; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    EXPECT_LE(display_width(text.substr(at, end - at)), 80U);
  }
}

TEST(TraceText, LossesAreSaid) {
  api::TraceInterval interval;
  EXPECT_EQ(totals_text(interval, {80, 0, false}).find("LOST"), std::string::npos);
  interval.totals.lost_events = 12;
  EXPECT_NE(totals_text(interval, {80, 0, false}).find("LOST: 12 events"), std::string::npos);
}

TEST(TraceText, HistogramSaysWhatMostStayedBelow) {
  api::TraceInterval interval;
  interval.totals.syscall[10] = 98;  // 1 us
  interval.totals.syscall[20] = 2;   // 1 ms
  const std::string text = totals_text(interval, {80, 0, false});
  const size_t line = text.find("syscall");
  EXPECT_NE(text.find("<2.0us", line), std::string::npos) << text;
  EXPECT_NE(text.find("<2.1ms", line), std::string::npos) << text;
}

TEST(TraceText, JsonOfOddNames) {
  const std::string line = row_json("row", row_of("/a\"b\xff\n", 5), 1);
  EXPECT_NE(line.find("\"path\": \"/a\\\"b\xEF\xBF\xBD\\n\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"device_bytes\": 5"), std::string::npos);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

}  // namespace
}  // namespace grapnel::cli
