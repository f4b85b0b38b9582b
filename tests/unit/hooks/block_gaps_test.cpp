// What the block hook leaves to user space: the records between the cores that were computed at the
// device, at every place where a request can begin and end.
#include <gtest/gtest.h>

#include "hooks/scan_fixture.h"

#ifdef GRAPNEL_HAVE_BLOCK
#include "hooks/block/gap_reader.h"

namespace grapnel::hooks::block {
namespace {

using namespace scan_test;

TEST(FindGaps, PutsCoresInOrder) {
  Extent extent;
  extent.begin = 10;
  extent.end = 100;
  std::vector<Span> cores = {{50, 70}, {20, 30}, {40, 40}, {30, 45}};
  const auto gaps = find_gaps(extent, cores);
  ASSERT_TRUE(gaps.ok());
  EXPECT_EQ(cores, (std::vector<Span>{{20, 30}, {30, 45}, {50, 70}}));
  EXPECT_EQ(*gaps, (std::vector<Span>{{10, 20}, {30, 30}, {45, 50}, {70, 100}}));
}

TEST(FindGaps, RefusesWhatWasComputedTwice) {
  Extent extent;
  extent.end = 100;
  for (std::vector<Span> cores : {std::vector<Span>{{20, 30}, {29, 40}},
                                  {{20, 30}, {20, 30}},
                                  {{90, 101}},
                                  {{0, 100}, {50, 60}}}) {
    const auto gaps = find_gaps(extent, cores);
    ASSERT_FALSE(gaps.ok());
    EXPECT_EQ(gaps.error().kind, ErrorKind::hook);
  }
}

/// One extent of a file: what a program in the kernel would do is done by the interpreter.
class Joiner {
 public:
  Joiner(std::shared_ptr<const program::Job> job, std::string content)
      : job_(std::move(job)), content_(std::move(content)) {
    content_.resize(content_.size() + program::kSlackBytes);
  }

  [[nodiscard]] uint64_t size() const { return content_.size() - program::kSlackBytes; }

  /// The whole file with this core, or the error's kind.
  std::string run(Span core) {
    const auto program = program::make_interpreter(job_);
    ExtentResult result{.partial = job_->make_partial(), .head = {}, .tail = {}, .counters = {}};
    const program::Block block{content_.data() + core.begin, core.end - core.begin, core.begin,
                               false};
    const auto outcome = program->make_runner()->run(block, result.partial);
    // Records that begin inside quotes: what a wrong guess computes.
    if (!outcome.ok() || outcome->consumed != block.size) return "no core";
    auto reader = GapReader::open(job_, program, job_->source->file.get());
    EXPECT_TRUE(reader.ok());
    Extent extent;
    extent.end = size();
    extent.first = extent.last = true;
    std::vector<Span> cores = {core};
    const auto gaps = find_gaps(extent, cores);
    EXPECT_TRUE(gaps.ok());
    const Status done = reader->run(extent, *gaps, result);
    if (!done.ok()) return done.error().kind == ErrorKind::hook ? "refused" : "error";
    EXPECT_EQ(result.tail, "");
    return show(*job_, result.partial);
  }

  /// Where a program in the kernel takes a record to begin behind `at`: behind a line feed.
  [[nodiscard]] uint64_t behind_line_feed(uint64_t at) const {
    const size_t found = content_.find('\n', at);
    return found == std::string::npos || found >= size() ? size() : found + 1;
  }

 private:
  std::shared_ptr<const program::Job> job_;
  std::string content_;
};

TEST(GapReader, LinesCutAnywhere) {
  const Directory directory;
  const std::string content = "1,a\n2,bcd\r\n\n3,\n44,efghij\n5,x\n6,no end";
  const auto job = sum_job(open_csv(directory.write("t.csv", content), '\0'), 0);
  const std::string expected = truth(job);
  Joiner joiner(job, content);
  for (uint64_t a = 0; a < content.size(); a++) {
    for (uint64_t b = a; b < content.size(); b++) {
      const uint64_t begin = joiner.behind_line_feed(a);
      uint64_t end = begin;
      while (end < b && joiner.behind_line_feed(end) <= b) end = joiner.behind_line_feed(end);
      if (begin < end) {
        EXPECT_EQ(joiner.run({begin, end}), expected) << begin << ".." << end;
      }
    }
  }
}

TEST(GapReader, LineEndsInsideQuotesAreNoticed) {
  const Directory directory;
  const std::string content = "1,a\n2,\"b\nc\"\n3,\"x\"\"\n9,y\n\"\n4,d\n5,\"e\n\nf\"\n6,g\n";
  const auto job = sum_job(open_csv(directory.write("t.csv", content)), 0);
  const std::string expected = truth(job);
  Joiner joiner(job, content);
  int refused = 0, exact = 0;
  for (uint64_t a = 0; a < content.size(); a++) {
    for (uint64_t b = a + 1; b <= content.size(); b++) {
      const Span core{joiner.behind_line_feed(a), joiner.behind_line_feed(b)};
      if (core.begin >= core.end) continue;
      const std::string answer = joiner.run(core);
      if (answer == "no core") continue;
      exact += answer == expected;
      refused += answer == "refused";
      EXPECT_TRUE(answer == expected || answer == "refused") << core.begin << ": " << answer;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(exact, 0);
}

TEST(GapReader, FixedRecords) {
  const Directory directory;
  std::string content;
  for (int i = 0; i < 12 * 20; i++) content += static_cast<char>(i * 7);
  const auto job = sum_job(open_fixed(directory.write("t.bin", content)), 0);
  const std::string expected = truth(job);
  Joiner joiner(job, content);
  for (uint64_t begin = 0; begin < content.size(); begin += 12)
    for (uint64_t end = begin + 12; end <= content.size(); end += 12)
      EXPECT_EQ(joiner.run({begin, end}), expected);
}

}  // namespace
}  // namespace grapnel::hooks::block
#endif
