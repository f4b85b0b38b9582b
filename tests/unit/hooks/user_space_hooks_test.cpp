// Sessions of the hooks in user space, driven by hand.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fcntl.h>
#include <signal.h>

#include <fstream>

#include "file_system.h"
#include "hooks/common/feeder.h"
#include "hooks/common/page_cache.h"
#include "hooks/common/rates.h"
#include "hooks/direct/block_reader.h"
#include "hooks/direct/direct_file.h"
#include "hooks/mmap/fault_guard.h"
#include "hooks/scan_fixture.h"

namespace grapnel::hooks {
namespace {

using namespace scan_test;

std::string numbers(int count) {
  std::string content;
  for (int i = 0; i < count; i++) content += std::to_string(i) + ",some text\n";
  return content;
}

std::unique_ptr<Session> open_session(std::string_view hook,
                                      const std::shared_ptr<const program::Job>& job) {
  auto session = find_hook(hook)->open(job, program::make_interpreter(job));
  EXPECT_TRUE(session.ok()) << session.error().to_string();
  return std::move(*session);
}

class EachHook : public testing::TestWithParam<const char*> {
 protected:
  /// Any other refusal is a failure.
  static bool refused_for_want_of_direct_io(const program::Job& job) {
    const Verdict verdict = find_hook(GetParam())->eligible(job);
    if (verdict.yes) return false;
    EXPECT_STREQ(GetParam(), "direct") << verdict.reason;
    EXPECT_FALSE(testing_help::has_direct_io(job.source->path)) << verdict.reason;
    return true;
  }
};
INSTANTIATE_TEST_SUITE_P(UserSpace, EachHook, testing::Values("read", "mmap", "direct"));

TEST_P(EachHook, FragmentsAndCounters) {
  const Directory directory;
  const auto job = sum_job(open_csv(directory.write("t.csv", "1,aa\n2,bb\n3,cc\n4,dd"), '\0'), 0);
  if (refused_for_want_of_direct_io(*job)) GTEST_SKIP() << "this file system has no direct I/O";
  const auto session = open_session(GetParam(), job);
  const CancelToken cancel;
  const auto drive = [&](uint64_t begin, uint64_t end) {
    Extent extent;
    extent.begin = begin;
    extent.end = end;
    extent.first = begin == 0;
    extent.last = end == 19;
    auto result = session->drive(extent, cancel);
    EXPECT_TRUE(result.ok()) << result.error().to_string();
    return std::move(*result);
  };
  const ExtentResult first = drive(0, 7);
  EXPECT_EQ(first.head, "");
  EXPECT_EQ(first.tail, "2,");
  EXPECT_EQ(first.counters.records, 1U);
  EXPECT_EQ(first.counters.bytes, 5U);
  const ExtentResult second = drive(7, 15);
  EXPECT_EQ(second.head, "bb\n");
  EXPECT_EQ(second.tail, "");
  EXPECT_TRUE(second.has_record_start);
  EXPECT_EQ(second.counters.bytes, 5U);
  const ExtentResult inner = drive(11, 14);
  EXPECT_EQ(inner.head, ",cc");
  EXPECT_FALSE(inner.has_record_start);
  EXPECT_EQ(inner.counters.records, 0U);
  const ExtentResult last = drive(15, 19);
  EXPECT_EQ(last.head, "4,dd");
  EXPECT_FALSE(last.has_record_start);
}

TEST_P(EachHook, AnnouncedOrNotTheSameResult) {
  const Directory directory;
  const auto job = sum_job(open_csv(directory.write("t.csv", numbers(100'000)), '\0'), 0);
  if (refused_for_want_of_direct_io(*job)) GTEST_SKIP() << "this file system has no direct I/O";
  const auto session = open_session(GetParam(), job);
  const CancelToken cancel;
  const auto extent_at = [&](uint64_t number) {
    Extent extent;
    extent.begin = number * 300'000;
    extent.end = extent.begin + 300'000;
    extent.first = number == 0;
    return extent;
  };
  const auto drive = [&](uint64_t number) {
    auto result = session->drive(extent_at(number), cancel);
    EXPECT_TRUE(result.ok());
    return show(*job, result->partial) + result->head + result->tail;
  };
  const std::string one = drive(1);
  const std::string two = drive(2);
  const std::string four = drive(4);
  EXPECT_EQ(drive(1), one);
  session->announce(extent_at(2));
  EXPECT_EQ(drive(1), one);
  session->announce(extent_at(4));
  EXPECT_EQ(drive(2), two);
  EXPECT_EQ(drive(1), one);  // not what was announced
  session->announce(extent_at(2));
  EXPECT_EQ(drive(4), four);
}

TEST_P(EachHook, ShorterFileIsAChangeAndCancelStops) {
  const Directory directory;
  const std::string path = directory.write("t.csv", numbers(50'000));
  const auto job = sum_job(open_csv(path, '\0'), 0);
  if (refused_for_want_of_direct_io(*job)) GTEST_SKIP() << "this file system has no direct I/O";
  const auto session = open_session(GetParam(), job);
  Extent extent;
  extent.end = job->source->data_end;
  extent.first = extent.last = true;
  CancelToken cancelled;
  cancelled.cancel();
  const auto stopped = session->drive(extent, cancelled);
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().kind, ErrorKind::cancelled);
  ASSERT_EQ(truncate(path.c_str(), 5000), 0);
  const CancelToken cancel;
  const auto result = session->drive(extent, cancel);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::changed) << result.error().to_string();
}

// A guess that is wrong shows in the result, so that the scan can find it.
TEST(Feeder, GuessIsReported) {
  const Directory directory;
  const std::string content = "1,\"a\nb\"\n2,c\n";
  const auto job = sum_job(open_csv(directory.write("t.csv", content)), 0);
  ExtentFeeder feeder(job, program::make_interpreter(job));
  Extent extent;
  extent.begin = 4;  // inside the quotes
  extent.end = content.size();
  extent.last = true;
  extent.start_state = source::QuoteState::inside;
  feeder.begin(extent);
  std::string bytes = content.substr(4);
  const size_t size = bytes.size();
  bytes.resize(size + program::kSlackBytes);
  ASSERT_TRUE(feeder.feed(bytes.data(), size, {}).ok());
  const ExtentResult result = feeder.finish();
  EXPECT_EQ(result.start_state, source::QuoteState::inside);
  EXPECT_EQ(result.head, "\nb\"\n");
  EXPECT_EQ(result.counters.records, 1U);
}

TEST(FaultGuard, GivesZerosAndSaysSo) {
  const Directory directory;
  const std::string path = directory.write("t", std::string(3 * 4096, 'x'));
  const int file = ::open(path.c_str(), O_RDWR);
  ASSERT_GE(file, 0);
  char* region = static_cast<char*>(mmap(nullptr, 3 * 4096, PROT_READ, MAP_SHARED, file, 0));
  ASSERT_NE(region, MAP_FAILED);
  {
    const FaultGuard guard(region, 3 * 4096);
    EXPECT_EQ(region[4096], 'x');
    EXPECT_FALSE(guard.faulted());
    ASSERT_EQ(ftruncate(file, 4096), 0);
    EXPECT_EQ(static_cast<volatile char*>(region)[2 * 4096], 0);
    EXPECT_TRUE(guard.faulted());
    EXPECT_EQ(static_cast<volatile char*>(region)[0], 'x');
  }
  munmap(region, 3 * 4096);
  close(file);
}

TEST(FaultGuardDeathTest, LeavesOtherFaultsAlone) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const Directory directory;
  const std::string path = directory.write("t", "x");
  const int file = ::open(path.c_str(), O_RDWR);
  char* region = static_cast<char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0));
  ASSERT_EQ(ftruncate(file, 0), 0);
#ifndef GRAPNEL_SANITIZE
  EXPECT_EXIT(
      {
        {
          const FaultGuard guard(region + 4096, 4096);
        }
        (void)*static_cast<volatile char*>(region);
      },
      testing::KilledBySignal(SIGBUS), "");
#endif
  munmap(region, 4096);
  close(file);
}

TEST(PageCache, SeesWhatIsCached) {
  // Pages of one folio leave the cache together, so the halves are larger than folios get.
  constexpr uint64_t kHalf = 8 << 20;
  const Directory directory;
  const std::string path = directory.write("t", std::string(2 * kHalf, 'x'));
  const int file = ::open(path.c_str(), O_RDWR);
  ASSERT_GE(file, 0);
  ASSERT_EQ(fsync(file), 0);
  const PageCacheProbe probe(file);
  ASSERT_NE(probe.method(), PageCacheProbe::Method::none) << "the file is our own";
  EXPECT_EQ(probe.cached_share(0, 2 * kHalf), 1.0) << probe.method_name();
  EXPECT_EQ(probe.cached_share(5, 5), std::nullopt);
  ASSERT_EQ(posix_fadvise(file, kHalf, kHalf, POSIX_FADV_DONTNEED), 0);
  const auto half = probe.cached_share(0, 2 * kHalf);
  const auto gone = probe.cached_share(kHalf, 2 * kHalf);
  ASSERT_TRUE(half && gone);
  if (testing_help::lives_in_memory(path)) GTEST_SKIP() << "files are their pages here";
  EXPECT_NEAR(*half, 0.5, 0.1);
  EXPECT_LT(*gone, 0.1);
  close(file);
}

TEST(Rates, DefaultsUntilMeasured) {
  constexpr uint64_t kDevice = 7;
  const Rate before = rate("mmap", Residency::uncached, kDevice);
  EXPECT_FALSE(before.measured);
  observe_rate("mmap", kDevice, before.wall_ns_per_byte * 2, before.cpu_ns_per_byte / 2);
  const Rate after = rate("mmap", Residency::uncached, kDevice);
  EXPECT_TRUE(after.measured);
  EXPECT_GT(after.wall_ns_per_byte, before.wall_ns_per_byte);
  EXPECT_LT(after.wall_ns_per_byte, before.wall_ns_per_byte * 2);
  EXPECT_LT(after.cpu_ns_per_byte, before.cpu_ns_per_byte);
  // On that device the others are slower too, as far as is known; on another one nothing is.
  EXPECT_GT(rate("direct", Residency::uncached, kDevice).wall_ns_per_byte,
            rate("direct", Residency::uncached, kDevice + 1).wall_ns_per_byte);
  EXPECT_FALSE(rate("direct", Residency::uncached, kDevice).measured);
  EXPECT_FALSE(rate("mmap", Residency::uncached, kDevice + 1).measured);
  EXPECT_FALSE(rate("mmap", Residency::cached, kDevice).measured);
  for (int i = 0; i < 50; i++) observe_rate("mmap", kDevice, 1e9, 1e9);
  EXPECT_DOUBLE_EQ(rate("mmap", Residency::uncached, kDevice).wall_ns_per_byte,
                   before.wall_ns_per_byte * 4);
}

TEST(Rates, AnOpSaysNothingAboutOtherOps) {
  constexpr uint64_t kSlow = 501;
  constexpr uint64_t kQuick = 502;
  const double usual = program_rate("native avx2").cpu_ns_per_byte;
  EXPECT_EQ(op_factor("native avx2", kSlow), 1);
  observe_op("native avx2", kSlow, usual * 5);
  EXPECT_DOUBLE_EQ(op_factor("native avx512", kSlow), 5);
  EXPECT_EQ(op_factor("native avx512", kQuick), 1);
  EXPECT_EQ(program_rate("native avx2").cpu_ns_per_byte, usual);
  // Where it was not measured yet it is held to be slow, too; then what was seen there counts.
  EXPECT_DOUBLE_EQ(op_factor("pipe", kSlow), 5);
  observe_op("pipe", kSlow, rate("pipe", Residency::cached, 0).cpu_ns_per_byte * 2);
  EXPECT_DOUBLE_EQ(op_factor("pipe", kSlow), 2);
  EXPECT_DOUBLE_EQ(op_factor("native", kSlow), 5);
  observe_op("native", kSlow, usual * 2);
  EXPECT_DOUBLE_EQ(op_factor("native", kSlow), 4);
  observe_op("native", kQuick, usual * 1000);
  EXPECT_DOUBLE_EQ(op_factor("native", kQuick), 16);
}

TEST(Rates, TheOldestGoesWhenThereAreTooMany) {
  for (uint64_t shape = 1000; shape < 3000; shape++) observe_op("native", shape, 0.5);
  const std::string kept = measured_rates();
  EXPECT_LE(std::count(kept.begin(), kept.end(), '\n'), 512);
  observe_op("native", 3000, 0.5);
  EXPECT_NE(op_factor("native", 3000), 1);
}

TEST(Rates, KeptFromProcessToProcess) {
  observe_op("native test", 7, 0.5);
  const std::string kept = measured_rates();
  const double seen = op_factor("native avx512", 7);
  for (int i = 0; i < 9; i++) observe_op("native", 7, 0.1);
  EXPECT_NE(op_factor("native", 7), seen);
  restore_rates("garbage 1 2 x");
  restore_rates("native 1 7 0.9 0.9 17\n");  // of 1970
  restore_rates(kept);
  EXPECT_NEAR(op_factor("native", 7), seen, 1e-4);
}

TEST(BlockReader, EachShapeReadsTheFileInOrder) {
  const Directory directory;
  const std::string content = numbers(200'000);
  const std::string path = directory.write("t.csv", content);
  const auto source = open_csv(path, '\0');
  auto file = DirectFile::open(*source);
  if (!file.ok()) {
    ASSERT_FALSE(testing_help::has_direct_io(path)) << file.error().to_string();
    GTEST_SKIP() << file.error().to_string();
  }
  for (const QueueShape shape : {QueueShape{}, QueueShape{64 << 10, 1}, QueueShape{1 << 20, 8}}) {
    for (const bool ring : {true, false}) {
      if (ring && !ring_refusal().empty()) continue;
      auto reader = ring ? make_ring_reader(file->file.get(), shape)
                         : make_plain_reader(file->file.get(), shape.block_bytes);
      ASSERT_TRUE(reader.ok()) << reader.error().to_string();
      std::string read;
      for (uint64_t offset = 0; offset < content.size(); offset += shape.block_bytes) {
        ASSERT_TRUE((*reader)->has_room());
        (*reader)->ask({offset, shape.block_bytes});
        const auto answer = (*reader)->take();
        ASSERT_TRUE(answer.ok());
        ASSERT_GT(answer->got, 0);
        EXPECT_EQ(answer->request.offset, offset);
        read.append(answer->data, static_cast<size_t>(answer->got));
        (*reader)->release();
      }
      EXPECT_EQ(read, content) << (ring ? "ring" : "plain") << ' ' << shape.block_bytes;
    }
  }
}

TEST(Direct, ReadsAsTheDeviceWasCalibrated) {
  const Directory directory;
  const std::string path = directory.write("t.csv", numbers(900'000));
  const auto job = sum_job(open_csv(path, '\0'), 0);
  Hook* const direct = find_hook("direct");
  if (!direct->eligible(*job).yes) {
    ASSERT_FALSE(testing_help::has_direct_io(path));
    GTEST_SKIP() << "no direct I/O here";
  }
  const std::string expected = truth(job);
  const uint64_t device = job->source->identity.device;
  for (const QueueShape shape : {QueueShape{64 << 10, 1}, QueueShape{1 << 20, 32}, QueueShape{}}) {
    calibrate_queue(device, shape);
    ASSERT_EQ(queue_shape(device), shape);
    EXPECT_EQ(run_plan(make_plan(job, direct, 2)), expected) << shape.block_bytes;
  }
}

}  // namespace
}  // namespace grapnel::hooks
