// The `ship` hook on files that a server in memory gives.
#include <gtest/gtest.h>

#include <random>

#include "base/limits.h"
#include "hooks/memory_file.h"
#include "hooks/scan_fixture.h"
#include "hooks/ship/shipped_file.h"

namespace grapnel::hooks::ship {
namespace {

using namespace scan_test;
using ship_test::MemoryFile;
using ship_test::opener;

std::shared_ptr<const source::Source> open_shipped(const std::shared_ptr<MemoryFile>& file,
                                                   source::TableRequest request) {
  source::OpenOptions where;
  where.remote = [&file](const std::string& path) -> Result<std::shared_ptr<source::RemoteFile>> {
    auto shipped = ShippedFile::open({opener(file), "nowhere:1"}, path);
    if (!shipped.ok()) return shipped.error();
    return std::shared_ptr<source::RemoteFile>(*std::move(shipped));
  };
  request.path = "t.csv";
  auto source = source::open_source(request, where);
  EXPECT_TRUE(source.ok()) << source.error().to_string();
  return source.ok() ? *source : nullptr;
}

/// csv: number BIGINT, text VARCHAR.
source::TableRequest csv(char quote) {
  source::TableRequest request;
  request.format = source::Format::csv;
  request.delimiter = ',';
  request.quote = quote;
  request.header = false;
  request.columns = {{"number", kBigint}, {"text", kVarchar}};
  return request;
}

std::string records(int count) {
  std::string content;
  for (int i = 0; i < count; i++) content += std::to_string(i) + ",some text\n";
  return content;
}

TEST(Ship, IsTheOnlyHookOfARemoteFile) {
  const auto file = std::make_shared<MemoryFile>(records(10));
  const auto job = sum_job(open_shipped(file, csv('\0')), 0);
  EXPECT_EQ(hooks_for(*job->source), std::vector<Hook*>{find_hook("ship")});
  EXPECT_TRUE(find_hook("ship")->eligible(*job).yes);
  const Directory directory;
  const auto local = sum_job(open_csv(directory.write("t.csv", "1,a\n")), 0);
  EXPECT_EQ(hooks_for(*local->source), all_hooks());
  EXPECT_FALSE(find_hook("ship")->eligible(*local).yes);
  EXPECT_FALSE(find_hook("ship")->open(local, program::make_interpreter(local)).ok());
}

TEST(Ship, ASmallFileIsOneRequest) {
  const auto file = std::make_shared<MemoryFile>(records(100));
  const auto job = sum_job(open_shipped(file, csv('\0')), 0);
  EXPECT_EQ(run_plan(make_plan(job, find_hook("ship"))), "0: | 100 | 4950 | 0\n100 records");
  EXPECT_EQ(file->requests, 1U);
  EXPECT_EQ(job->source->remote->bytes_received(), file->content.size());
}

TEST(Ship, ALargeFileIsTwoRequests) {
  const auto file = std::make_shared<MemoryFile>(records(200'000));
  file->chunk_bytes = 100'000;
  const auto job = sum_job(open_shipped(file, csv('\0')), 0);
  for (const unsigned threads : {1U, 4U}) {
    EXPECT_EQ(run_plan(make_plan(job, find_hook("ship"), threads, 100'001)),
              "0: | 200000 | 19999900000 | 0\n200000 records");
    if (threads == 1) {
      EXPECT_EQ(file->requests, 2U);
      EXPECT_EQ(job->source->remote->bytes_received(), file->content.size());
    }
  }
}

// Quotes far behind an extent's begin make guesses wrong; such extents are driven twice.
TEST(Ship, WrongGuessesAreRedone) {
  std::string content = records(50'000);
  content += "7,\"" + records(40'000) + "\"\n" + records(1'000);
  const auto file = std::make_shared<MemoryFile>(content);
  file->chunk_bytes = 100'000;
  const auto job = sum_job(open_shipped(file, csv('"')), 0);
  for (const uint64_t extent_bytes : {70'000U, 200'000U}) {
    EXPECT_EQ(run_plan(make_plan(job, find_hook("ship"), 2, extent_bytes)),
              "0: | 51001 | 1250474507 | 0\n51001 records");
  }
  EXPECT_GT(file->requests, 4U) << "none was driven twice";
}

TEST(Ship, RandomTablesGiveTheTruth) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const Directory directory;
  for (int round = 0; round < 20; round++) {
    std::string content;
    while (content.size() < 400'000) {
      content += std::to_string(random() % 1000) + ",";
      const size_t size = random() % (round % 2 == 0 ? 30 : 20'000);
      const std::string text(size, random() % 5 == 0 ? '\n' : 'x');
      content += text.find('\n') == std::string::npos ? text : "\"" + text + "\"\"\"";
      content += "\n";
    }
    const auto file = std::make_shared<MemoryFile>(content);
    file->chunk_bytes = 1 + random() % 100'000;
    const std::string path = directory.write("t.csv", content);
    const std::string expected = truth(rows_job(open_csv(path)));
    const auto job = rows_job(open_shipped(file, csv('"')));
    const uint64_t extent_bytes = 20'000 + random() % 100'000;
    ASSERT_EQ(run_plan(make_plan(job, find_hook("ship"), 1 + random() % 4, extent_bytes)), expected)
        << "round " << round;
  }
}

TEST(Ship, ChangesAreSeen) {
  struct Change {
    void (*make)(MemoryFile& file);
    std::string_view says;
  };
  const Change changes[] = {
      {[](MemoryFile& file) {
         file.content.resize(400'000);
         file.state.identity.size = 400'000;
       },
       "truncated while it was read"},
      {[](MemoryFile& file) { file.state.identity.mtime_ns++; }, "was written to"},
      {[](MemoryFile& file) {
         file.state.identity.ctime_ns++;
         file.state.links = 0;
       },
       "was replaced or deleted"},
      {[](MemoryFile& file) {
         file.error = source::file_changed("t.csv", source::kReplaced);
         file.error_at = 500'000;
       },
       "was replaced or deleted"}};
  for (const Change& change : changes) {
    const auto file = std::make_shared<MemoryFile>(records(100'000));
    const auto job = sum_job(open_shipped(file, csv('\0')), 0);
    change.make(*file);
    const CancelToken cancel;
    const auto outcome = scan::run(make_plan(job, find_hook("ship"), 2, 100'000), cancel, {});
    ASSERT_FALSE(outcome.ok()) << change.says;
    EXPECT_EQ(outcome.error().kind, ErrorKind::changed) << outcome.error().message;
    EXPECT_NE(outcome.error().message.find(change.says), std::string::npos)
        << outcome.error().message;
  }
}

TEST(Ship, AFileThatGrowsIsReadAsItWas) {
  const auto file = std::make_shared<MemoryFile>(records(100'000));
  const auto job = sum_job(open_shipped(file, csv('\0')), 0);
  file->content += "1,more\n";
  file->state.identity.size = file->content.size();
  file->state.identity.mtime_ns++;
  scan::Plan plan = make_plan(job, find_hook("ship"), 2, 100'000);
  const CancelToken cancel;
  const auto outcome = scan::run(plan, cancel, {});
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->partial.records, 100'000U);
  ASSERT_EQ(outcome->statistics.warnings.size(), 1U);
  plan.error_if_grown = true;
  EXPECT_FALSE(scan::run(plan, cancel, {}).ok());
}

TEST(Ship, CancelsWhileNothingComes) {
  const auto file = std::make_shared<MemoryFile>(records(100'000));
  const auto job = sum_job(open_shipped(file, csv('\0')), 0);
  file->blocks_at = 600'000;
  CancelToken cancel;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancel.cancel();
  });
  const auto outcome = scan::run(make_plan(job, find_hook("ship"), 2, 100'000), cancel, {});
  canceller.join();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::cancelled);
}

TEST(Ship, WritersAreRefusedAsTheServerSeesThem) {
  const auto file = std::make_shared<MemoryFile>(records(100));
  file->state.stability = source::Stability::writers;
  const auto job = sum_job(open_shipped(file, csv('\0')), 0);
  scan::Plan plan = make_plan(job, find_hook("ship"));
  const CancelToken cancel;
  const auto outcome = scan::run(plan, cancel, {});
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->statistics.stability, "open for writing");
  plan.refuse_writers = true;
  const auto refused = scan::run(plan, cancel, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::changed);
}

}  // namespace
}  // namespace grapnel::hooks::ship
