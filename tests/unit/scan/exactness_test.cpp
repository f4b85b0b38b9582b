// Whatever the extents, the hook and the number of threads: each record is taken exactly once, rows
// come in file order, errors are those of the first bad record.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "hooks/scan_fixture.h"

namespace grapnel::scan {
namespace {

using namespace scan_test;

const std::vector<std::string> kUserSpaceHooks = {"read", "mmap", "direct"};

hooks::Hook* usable_hook(const std::string& name, const program::Job& job) {
  hooks::Hook* hook = hooks::find_hook(name);
  EXPECT_NE(hook, nullptr) << name;
  if (hook == nullptr || !hook->eligible(job).yes) return nullptr;
  return hook;
}

// Every extent size from one byte to the whole: with sizes above half of it the one inner cut comes
// to lie at every offset.
void check_every_cut(const std::shared_ptr<const program::Job>& job) {
  ASSERT_NE(job->source, nullptr);
  const std::string expected = truth(job);
  const uint64_t total = job->source->data_end - job->source->data_begin;
  for (const std::string& name : kUserSpaceHooks) {
    hooks::Hook* hook = usable_hook(name, *job);
    if (hook == nullptr) continue;  // tests/hooks demands all of them
    for (uint64_t bytes = 1; bytes <= total + 1; bytes++) {
      ASSERT_EQ(run_plan(make_plan(job, hook, 1, bytes)), expected)
          << name << ", extents of " << bytes << " bytes";
    }
    ASSERT_EQ(run_plan(make_plan(job, hook, 3, 7)), expected) << name << ", 3 threads";
  }
}

TEST(Exactness, UnquotedCsvAtEveryCut) {
  const Directory directory;
  for (const std::string content :
       {"1,a\n22,bb\n\n333,ccc\r\n,\n-5,e", "1,a\n", "1,a", "\n\n1,x\n\n"}) {
    const auto source = open_csv(directory.write("t.csv", content), '\0');
    check_every_cut(rows_job(source));
    check_every_cut(sum_job(source, 0));
  }
}

TEST(Exactness, QuotedCsvAtEveryCut) {
  const Directory directory;
  for (const std::string content :
       {"1,\"a,b\"\n2,\"x\"\"y\"\n3,\"line\nbreak\"\n4,\"\"\n5,plain\n",
        // Text in quotes that looks like records, so that guesses go wrong.
        "1,\"\n7,a\n8,b\n9,c\n10,d\n11,e\n\"\n2,\"\n\"\n3,\"\"\"\n\"\"\"\n4,x",
        "1,\"\r\n\"\r\n\r\n2,\"a\"\r\n", "1,\"only one\nrecord\n\n in \"\"here\"\"\""}) {
    const auto source = open_csv(directory.write("t.csv", content));
    check_every_cut(rows_job(source));
    check_every_cut(sum_job(source, 0));
  }
}

TEST(Exactness, LinesAndFixedAtEveryCut) {
  const Directory directory;
  check_every_cut(rows_job(open_lines(directory.write("l", "one\n\ntwo\r\n\n\nthree"))));
  std::string records;
  for (int i = 0; i < 9; i++)
    records += std::string("\x01\x00\x00\x00\x00\x00\x00\x00", 8) + "abc" + char('0' + i);
  const auto fixed = open_fixed(directory.write("f", records));
  check_every_cut(rows_job(fixed));
  check_every_cut(sum_job(fixed, 0));
}

TEST(Exactness, EmptyAndHeaderOnlyFiles) {
  const Directory directory;
  const auto empty = rows_job(open_lines(directory.write("empty", "")));
  EXPECT_EQ(run_plan(make_plan(empty, hooks::find_hook("read"), 2)), "0 records");
}

TEST(Exactness, RandomFilesExtentsAndThreads) {
  const uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  const Directory directory;
  for (int round = 0; round < 60; round++) {
    const bool quoted = round % 2 == 0;
    const std::string content = random_csv(
        random,
        {.quoted = quoted, .most_records = 300, .long_text_each = 100, .most_long_bytes = 9000});
    const auto source = open_csv(directory.write("r.csv", content), quoted ? '"' : '\0');
    ASSERT_NE(source, nullptr) << "seed " << seed;
    const auto job = round % 3 == 0 ? sum_job(source, 0) : rows_job(source);
    const std::string expected = truth(job);
    for (const std::string& name : kUserSpaceHooks) {
      hooks::Hook* hook = usable_hook(name, *job);
      if (hook == nullptr) continue;
      const uint64_t bytes = 1 + random() % (content.size() + 10);
      const auto threads = static_cast<unsigned>(1 + random() % 4);
      ASSERT_EQ(run_plan(make_plan(job, hook, threads, bytes)), expected)
          << "seed " << seed << " round " << round << " " << name << " extents " << bytes
          << " threads " << threads;
    }
  }
}

// Records longer than blocks and headroom, and extents without any record start.
TEST(Exactness, LongRecords) {
  const Directory directory;
  std::string content;
  for (int i = 0; i < 6; i++) {
    content +=
        std::to_string(i) + ",\"" + std::string(150'000 * static_cast<size_t>(i), 'x') + "\n\"\n";
  }
  const auto job = rows_job(open_csv(directory.write("long.csv", content)));
  const std::string expected = truth(job);
  for (const std::string& name : kUserSpaceHooks) {
    hooks::Hook* hook = usable_hook(name, *job);
    if (hook == nullptr) continue;
    for (const uint64_t bytes :
         {uint64_t{0}, uint64_t{5'000}, uint64_t{100'001}, uint64_t{1} << 20}) {
      EXPECT_EQ(run_plan(make_plan(job, hook, 2, bytes)), expected) << name << " " << bytes;
    }
  }
}

TEST(Exactness, FirstBadRecordIsTheError) {
  const Directory directory;
  std::string content;
  for (int i = 0; i < 2000; i++)
    content += (i == 700 || i == 900 ? "bad" : std::to_string(i)) + ",\"t,\n\"\n";
  const auto job = rows_job(open_csv(directory.write("bad.csv", content)));
  const std::string expected = truth(job);
  ASSERT_TRUE(expected.starts_with("error: ")) << expected;
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{50}, uint64_t{333}, uint64_t{4096}}) {
    EXPECT_EQ(run_plan(make_plan(job, hooks::find_hook("read"), 4, bytes)), expected) << bytes;
  }
}

TEST(Exactness, RowLimitGivesTheFirstRowsWhateverComesLater) {
  const Directory directory;
  std::string content;
  for (int i = 0; i < 500; i++) content += (i == 300 ? "bad" : std::to_string(i)) + ",t\n";
  const auto job = rows_job(open_csv(directory.write("limit.csv", content)));
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{10}, uint64_t{1000}}) {
    for (const uint64_t limit : {uint64_t{0}, uint64_t{1}, uint64_t{299}, uint64_t{300}}) {
      Plan plan = make_plan(job, hooks::find_hook("read"), 3, bytes);
      plan.row_limit = limit;
      const CancelToken cancel;
      const auto outcome = run(plan, cancel, {});
      ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
      const state::RowBatch& rows = outcome->partial.rows;
      ASSERT_EQ(rows.size(), limit) << bytes;
      for (size_t i = 0; i < rows.size(); i++) {
        ASSERT_EQ(rows.value(i, 0, kBigint).integer, static_cast<Int128>(i));
      }
    }
    Plan plan = make_plan(job, hooks::find_hook("read"), 3, bytes);
    plan.row_limit = 301;
    EXPECT_TRUE(run_plan(plan).starts_with("error: "));
  }
}

TEST(Exactness, SinkTakesRowsInOrder) {
  const Directory directory;
  std::string content;
  for (int i = 0; i < 5000; i++) content += std::to_string(i) + ",t\n";
  const auto job = rows_job(open_csv(directory.write("sink.csv", content)));
  Plan plan = make_plan(job, hooks::find_hook("read"), 4, 100);
  int64_t next = 0;
  plan.row_sink = [&next](state::RowBatch&& rows) -> Status {
    for (size_t i = 0; i < rows.size(); i++) {
      EXPECT_EQ(rows.value(i, 0, kBigint).integer, static_cast<Int128>(next++));
    }
    return ok_status();
  };
  const CancelToken cancel;
  const auto outcome = run(plan, cancel, {});
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(next, 5000);
  EXPECT_EQ(outcome->partial.rows.size(), 0U);
  EXPECT_EQ(outcome->partial.records, 5000U);

  plan.row_sink = [](state::RowBatch&&) -> Status {
    Error error;
    error.kind = ErrorKind::network;
    error.message = "the client is gone";
    return error;
  };
  const auto failed = run(plan, cancel, {});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().kind, ErrorKind::network);
}

TEST(Exactness, RecordAboveTheLimitIsAnError) {
  const Directory directory;
  const auto job =
      rows_job(open_lines(directory.write("huge", "a\n" + std::string(33 << 20, 'x') + "\nb\n")));
  const CancelToken cancel;
  for (const std::string& name : kUserSpaceHooks) {
    hooks::Hook* hook = usable_hook(name, *job);
    if (hook == nullptr) continue;
    const auto outcome = run(make_plan(job, hook, 2), cancel, {});
    ASSERT_FALSE(outcome.ok()) << name;
    EXPECT_EQ(outcome.error().kind, ErrorKind::limit);
    EXPECT_NE(outcome.error().message.find("byte offset 2:"), std::string::npos)
        << outcome.error().message;
  }
}

}  // namespace
}  // namespace grapnel::scan
