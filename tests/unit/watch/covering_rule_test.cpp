// The covering rule against a naive reading of it: random pieces of random files, in any order,
// overlapping and repeated.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "hooks/scan_fixture.h"
#include "watch/assembler.h"

namespace grapnel::watch {
namespace {

using namespace scan_test;

/// A record with its line end.
struct Record {
  uint64_t begin = 0;
  uint64_t end = 0;
  size_t content_bytes = 0;
};

/// Byte by byte, by the words of the rule and nothing else.
std::vector<Record> naive_records(const source::Source& source, const std::string& content) {
  std::vector<Record> records;
  uint64_t begin = source.data_begin;
  if (source.layout.format == source::Format::fixed) {
    for (; begin < source.data_end; begin += source.layout.record_bytes) {
      records.push_back({begin, begin + source.layout.record_bytes, source.layout.record_bytes});
    }
    return records;
  }
  const bool quoted =
      source.layout.format == source::Format::csv && source.layout.dialect.quote != '\0';
  bool inside = false;
  for (uint64_t at = begin; at < source.data_end; at++) {
    if (quoted && content[at] == source.layout.dialect.quote) inside = !inside;
    if (content[at] != '\n' || inside) continue;
    const bool cr = at > begin && content[at - 1] == '\r';
    records.push_back({begin, at + 1, at - begin - (cr ? 1 : 0)});
    begin = at + 1;
  }
  if (begin < source.data_end) {
    size_t content_bytes = source.data_end - begin;
    if (content[source.data_end - 1] == '\r') content_bytes--;
    records.push_back({begin, source.data_end, content_bytes});
  }
  return records;
}

std::vector<bool> bytes_in(const std::vector<Range>& ranges, uint64_t size) {
  std::vector<bool> in(size);
  for (const Range& range : ranges)
    for (uint64_t at = range.begin; at < range.end; at++) {
      EXPECT_FALSE(in[at]) << "ranges overlap at " << at;
      in[at] = true;
    }
  return in;
}

/// What the rule gives for these covered bytes.
std::string expected_answer(const std::shared_ptr<const program::Job>& job,
                            const std::string& content, const std::vector<bool>& covered,
                            std::vector<bool>& counted) {
  const source::Source& source = *job->source;
  program::RecordRunner runner(job);
  state::Partial partial = job->make_partial();
  counted.assign(content.size(), false);
  for (const Record& record : naive_records(source, content)) {
    const bool fixed = source.layout.format == source::Format::fixed;
    const uint64_t from = record.begin - (record.begin > source.data_begin && !fixed ? 1 : 0);
    bool all = true;
    for (uint64_t at = from; at < record.end; at++) all = all && covered[at];
    if (!all) continue;
    for (uint64_t at = record.begin; at < record.end; at++) counted[at] = true;
    EXPECT_TRUE(runner
                    .run(std::string_view(content).substr(record.begin, record.content_bytes),
                         record.begin, partial)
                    .ok());
  }
  return show(*job, partial);
}

/// Offers pieces as the worker does.
class Offers {
 public:
  Offers(const std::shared_ptr<const program::Job>& job, const std::string& content,
         AssemblerLimits limits)
      : program_(program::make_interpreter(job)),
        assembler_(job, *program_, limits),
        padded_(content + std::string(program::kSlackBytes, 'x')) {}

  void offer(Range range) {
    Taken taken;
    const Status status = assembler_.take(
        range.begin, std::string_view(padded_).substr(range.begin, range.end - range.begin), taken);
    ASSERT_TRUE(status.ok()) << status.error().to_string();
    for (const Range& part : taken.unknown) unknown_.add(part);
    released_ = released_ || !taken.released.empty();
  }
  void offer_unknown() {
    for (bool any = true; any;) {
      any = false;
      for (const Range& range : unknown_.list()) {
        if (!assembler_.touches_run(range)) continue;
        unknown_.remove(range);
        offer(range);
        any = true;
      }
    }
  }
  [[nodiscard]] const Assembler& assembler() const { return assembler_; }
  [[nodiscard]] const RangeSet& unknown() const { return unknown_; }
  [[nodiscard]] bool released() const { return released_; }

 private:
  std::shared_ptr<const program::Program> program_;
  Assembler assembler_;
  const std::string padded_;
  RangeSet unknown_;
  bool released_ = false;
};

void check_rule(const std::shared_ptr<const program::Job>& job, const std::string& content,
                const Offers& offers) {
  const Assembler& assembler = offers.assembler();
  const std::vector<bool> covered = bytes_in(assembler.covered(), content.size());
  std::vector<bool> expected;
  const std::string answer = expected_answer(job, content, covered, expected);
  ASSERT_EQ(bytes_in(assembler.counted(), content.size()), expected);
  ASSERT_EQ(show(*job, assembler.partial()), answer);
  ASSERT_EQ(assembler.covered_bytes(),
            static_cast<uint64_t>(std::count(covered.begin(), covered.end(), true)));
  ASSERT_EQ(assembler.counted_bytes(),
            static_cast<uint64_t>(std::count(expected.begin(), expected.end(), true)));
}

void check_all_offered_is_somewhere(const RangeSet& offered, const Offers& offers) {
  RangeSet found;
  for (const Range& range : offers.assembler().covered()) found.add(range);
  for (const Range& range : offers.unknown().list()) found.add(range);
  ASSERT_EQ(found.list(), offered.list());
}

class Randomly : public testing::Test {
 protected:
  uint64_t below(uint64_t n) { return random_() % n; }

  std::string fixed() {
    std::string content;
    for (uint64_t records = below(60); records > 0; records--) {
      const uint64_t number = random_() >> 20;
      content.append(reinterpret_cast<const char*>(&number), sizeof number);
      content += "abcd";
    }
    return content;
  }

  void run_round(const std::shared_ptr<const program::Job>& job, const std::string& content,
                 AssemblerLimits limits) {
    const source::Source& source = *job->source;
    Offers offers(job, content, limits);
    RangeSet offered;
    const uint64_t size = std::max<uint64_t>(content.size(), 1);
    const uint64_t longest = 1 + below(below(2) == 0 ? size : 64);
    for (uint64_t pieces = below(40); pieces > 0; pieces--) {
      const uint64_t begin = below(size);
      const Range range{begin, std::min<uint64_t>(content.size(), begin + 1 + below(longest))};
      if (range.begin >= range.end) continue;
      ASSERT_NO_FATAL_FAILURE(offers.offer(range));
      offered.add({std::max(range.begin, source.data_begin), range.end});
      if (below(3) != 0) continue;
      ASSERT_NO_FATAL_FAILURE(check_rule(job, content, offers));
    }
    ASSERT_NO_FATAL_FAILURE(offers.offer_unknown());
    ASSERT_NO_FATAL_FAILURE(check_rule(job, content, offers));
    if (!offers.released()) check_all_offered_is_somewhere(offered, offers);
    complete(job, content, offers);
  }

  // What is missing, from the front: everything counts then.
  static void complete(const std::shared_ptr<const program::Job>& job, const std::string& content,
                       Offers& offers) {
    for (int round = 0; round < 3; round++) {
      for (const Range& range : offers.assembler().missing())
        ASSERT_NO_FATAL_FAILURE(offers.offer(range));
    }
    ASSERT_NO_FATAL_FAILURE(check_rule(job, content, offers));
    ASSERT_TRUE(offers.assembler().complete());
    ASSERT_EQ(show(*job, offers.assembler().partial()), truth(job));
  }

  const uint64_t seed_ = std::random_device{}();
  std::mt19937_64 random_{seed_};
  const Directory directory_;
};

TEST_F(Randomly, PiecesOfAnyFormat) {
  for (int round = 0; round < 600; round++) {
    SCOPED_TRACE("seed " + std::to_string(seed_) + ", round " + std::to_string(round));
    const int kind = round % 4;
    const std::string content = kind == 3 ? fixed() : random_csv(random_, {.quoted = kind == 1});
    const std::string path = directory_.write("r", content);
    // Column 1 of lines is the offset of the line, a BIGINT.
    const auto job = kind == 2   ? sum_job(open_lines(path), 1)
                     : kind == 3 ? sum_job(open_fixed(path), 0)
                                 : sum_job(open_csv(path, kind == 1 ? '"' : '\0'), 0);
    AssemblerLimits limits;
    if (below(4) == 0) limits.fragment_bytes = below(100);
    if (below(8) == 0) limits.runs = 1 + below(4);
    ASSERT_NO_FATAL_FAILURE(run_round(job, content, limits));
  }
}

TEST(CoveringRule, ByteBeforeARecordMustBeCovered) {
  const Directory directory;
  const std::string content = "1,a\n2,b\n3,c\n";
  const auto job = sum_job(open_csv(directory.write("t.csv", content), '\0'), 0);
  Offers offers(job, content, {});
  offers.offer({4, 8});  // "2,b\n" without the line end before it
  EXPECT_EQ(offers.assembler().counted_bytes(), 0U);
  EXPECT_EQ(offers.assembler().covered_bytes(), 4U);
  offers.offer({3, 4});
  EXPECT_EQ(offers.assembler().counted(), (std::vector<Range>{{4, 8}}));
  offers.offer({0, 12});
  EXPECT_TRUE(offers.assembler().complete());
  EXPECT_EQ(offers.assembler().partial().records, 3U);
}

TEST(CoveringRule, WhatMayLieInQuotesDoesNotCount) {
  const Directory directory;
  // No quote in sight: the middle may be a long text.
  const std::string content = "1,a\n2,b\n3,c\n4,d\n";
  const auto job = sum_job(open_csv(directory.write("t.csv", content)), 0);
  Offers offers(job, content, {});
  offers.offer({5, 14});
  EXPECT_EQ(offers.assembler().covered_bytes(), 0U);
  EXPECT_EQ(offers.unknown().list(), (std::vector<Range>{{5, 14}}));
  offers.offer({0, 5});
  offers.offer_unknown();
  EXPECT_TRUE(offers.unknown().empty());
  EXPECT_EQ(offers.assembler().counted(), (std::vector<Range>{{0, 12}}));
}

TEST(CoveringRule, AQuoteProvesOnWhichSideItIs) {
  const Directory directory;
  const std::string content = "1,\"x\n9,9\n\"\n2,\"bb\"\n3,\"c\"\n";
  const auto job = sum_job(open_csv(directory.write("t.csv", content)), 0);
  Offers offers(job, content, {});
  offers.offer({11, 20});  // 2,"bb"\n3
  EXPECT_EQ(offers.assembler().covered_bytes(), 9U);
  offers.offer({20, 25});
  EXPECT_EQ(offers.assembler().counted(), (std::vector<Range>{{18, 24}}));
  // From the right: the number of quotes between says it.
  offers.offer({5, 11});
  EXPECT_EQ(offers.assembler().counted(), (std::vector<Range>{{11, 24}}));
  EXPECT_TRUE(offers.unknown().empty());
}

TEST(CoveringRule, BadRecordsAreErrorsOnceTheyCount) {
  const Directory directory;
  const std::string content = "1,a\nx,b\n3,c\n";
  const auto job = sum_job(open_csv(directory.write("t.csv", content), '\0'), 0);
  const auto program = program::make_interpreter(job);
  Assembler assembler(job, *program);
  const std::string padded = content + std::string(program::kSlackBytes, 'x');
  Taken taken;
  EXPECT_TRUE(assembler.take(0, std::string_view(padded).substr(0, 6), taken).ok());
  const Status status = assembler.take(6, std::string_view(padded).substr(6, 6), taken);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, ErrorKind::data);
}

}  // namespace
}  // namespace grapnel::watch
