// What a calibration tells, next to what scans teach; and the page cache put back as it was.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "file_system.h"
#include "hooks/common/cache_keeper.h"
#include "hooks/common/page_cache.h"
#include "hooks/common/rates.h"
#include "hooks/scan_fixture.h"

namespace grapnel::hooks {
namespace {

// What is known belongs to the process: computers of these tests have names of their own.

using namespace scan_test;

const KnownRate* find_known(const std::vector<KnownRate>& all, std::string_view what,
                            std::string_view kind, uint64_t where) {
  for (const KnownRate& rate : all) {
    if (rate.what == what && rate.kind == kind && rate.where == where) return &rate;
  }
  return nullptr;
}

TEST(Calibration, AClassStandsUntilTheShapeWasSeen) {
  constexpr uint64_t kShape = 777'001;
  constexpr uint64_t kClass = 5;
  const double usual = program_rate("first").cpu_ns_per_byte;
  calibrate_op("first avx512", kClass, {usual * 3, 0.1});
  EXPECT_DOUBLE_EQ(op_factor("first", kShape, kClass), 3);
  // Another computer was not calibrated for it: as much dearer.
  EXPECT_DOUBLE_EQ(op_factor("other", kShape, kClass), 3);
  observe_op("first", kShape, usual * 2, kClass);
  EXPECT_DOUBLE_EQ(op_factor("first", kShape, kClass), 2);
}

TEST(Calibration, ContradictedByThreeScansInARow) {
  constexpr uint64_t kClass = 6;
  const double usual = program_rate("second").cpu_ns_per_byte;
  calibrate_op("second", kClass, {usual, 0.02});
  const auto contradicted = [] {
    return find_known(known_rates(), "second", "op", kClass)->contradicted;
  };
  // Ops of one class differ: three times dearer is no contradiction.
  for (uint64_t i = 0; i < 3; i++) observe_op("second", 778'020 + i, usual * 3, kClass);
  EXPECT_FALSE(contradicted());
  observe_op("second", 778'001, usual * 5, kClass);
  observe_op("second", 778'002, usual * 5, kClass);
  EXPECT_FALSE(contradicted());
  observe_op("second", 778'003, usual * 1.1, kClass);  // as calibrated: counts from the beginning
  for (uint64_t i = 0; i < 2; i++) observe_op("second", 778'010 + i, usual / 5, kClass);
  EXPECT_FALSE(contradicted());
  observe_op("second", 778'013, usual / 5, kClass);
  EXPECT_TRUE(contradicted());
  calibrate_op("second", kClass, {usual / 5, 0.02});
  EXPECT_FALSE(contradicted());
}

TEST(Rates, EveryHookHasADefault) {
  for (const Hook* hook : all_hooks()) EXPECT_TRUE(has_default(hook->name())) << hook->name();
  EXPECT_TRUE(has_default("native"));
  EXPECT_TRUE(has_default("interpreter"));
  EXPECT_FALSE(has_default("nothing"));
}

TEST(Calibration, QueuesAreShapesThatTheReaderCanHave) {
  constexpr uint64_t kDevice = 4343;
  EXPECT_EQ(queue_shape(kDevice), QueueShape{});
  calibrate_queue(kDevice, {64 << 10, 8});
  EXPECT_EQ(queue_shape(kDevice), (QueueShape{64 << 10, 8}));
  // What was kept may be damaged.
  for (const char* shape : {"100000 8", "1e300 8", "4096 8", "65536 0.5"}) {
    restore_rates("direct 7 " + std::to_string(kDevice) + " " + shape + " " +
                  std::to_string(time(nullptr)) + " 0 0\n");
    EXPECT_LE(queue_shape(kDevice).block_bytes, QueueShape::kMostBlockBytes) << shape;
    EXPECT_EQ(queue_shape(kDevice).block_bytes % 4096, 0U) << shape;
    EXPECT_GE(queue_shape(kDevice).depth, 1U) << shape;
  }
  restore_rates("direct 7 " + std::to_string(kDevice) + " 65536 1e9 " +
                std::to_string(time(nullptr)) + " 0 0\n");
  EXPECT_EQ(queue_shape(kDevice).depth, QueueShape::kMostDepth);
}

TEST(Calibration, FixedCostsLinksAndDevices) {
  constexpr uint64_t kDevice = 4242;
  EXPECT_GT(setup_seconds("sendfile"), 0);
  calibrate_setup("sendfile", {0.04, 0.1});
  EXPECT_NEAR(setup_seconds("sendfile"), 0.04, 1e-9);
  EXPECT_NEAR(find_hook("sendfile")->setup_seconds(), 0.04, 1e-9);
  EXPECT_EQ(extent_seconds("sendfile"), 0);
  calibrate_extent("sendfile", {1e-5, 0.1});
  EXPECT_NEAR(extent_seconds("sendfile"), 1e-5, 1e-12);
  EXPECT_FALSE(known_link("a:1"));
  calibrate_link("a:1", {1e9, 0.1}, 0.01);
  ASSERT_TRUE(known_link("a:1"));
  EXPECT_NEAR(known_link("a:1")->bytes_per_second, 1e9, 1);
  EXPECT_NEAR(known_link("a:1")->rtt_seconds, 0.01, 1e-9);
  calibrate_device(kDevice, {0.25, 0.05}, 0.02);
  EXPECT_TRUE(rate("direct", Residency::uncached, kDevice).measured);
  EXPECT_DOUBLE_EQ(rate("direct", Residency::uncached, kDevice).wall_ns_per_byte, 0.25);
  // A fast device is fast for all.
  EXPECT_LT(rate("read", Residency::uncached, kDevice).wall_ns_per_byte,
            rate("read", Residency::uncached, kDevice + 1).wall_ns_per_byte);
}

TEST(Calibration, KeptLongerThanWhatScansTaught) {
  const auto line = [](const char* kind, int64_t age_seconds) {
    return std::string("kept ") + kind + " 99 0.5 0.5 " +
           std::to_string(time(nullptr) - age_seconds) + " 0.1 0\n";
  };
  constexpr int64_t kTwoDays = 2 * 24 * 3600;
  restore_rates(line("1", kTwoDays) + line("3", kTwoDays) +
                "kept 3 98 0.5\nkept 77 97 1 1 1 0 0\n");
  const auto all = known_rates();
  EXPECT_EQ(find_known(all, "kept", "learnt op", 99), nullptr);
  EXPECT_NE(find_known(all, "kept", "op", 99), nullptr);
  EXPECT_EQ(find_known(all, "kept", "op", 98), nullptr);
  // Of two, the newer stays.
  restore_rates("kept 3 99 0.9 0.9 " + std::to_string(time(nullptr) - 2 * kTwoDays) + " 0.1 0\n");
  EXPECT_NEAR(find_known(known_rates(), "kept", "op", 99)->cpu_ns, 0.5, 1e-9);
}

TEST(CacheKeeper, TakesOutWhatCameAndNothingElse) {
  constexpr off_t kPart = 8 << 20;  // pages of one folio leave together
  const Directory directory;
  const std::string path = directory.write("t", std::string(4 * kPart, 'x'));
  const UniqueFd file(::open(path.c_str(), O_RDWR));
  ASSERT_EQ(fsync(file.get()), 0);
  ASSERT_EQ(posix_fadvise(file.get(), kPart, 2 * kPart, POSIX_FADV_DONTNEED), 0);
  const PageCacheProbe probe(file.get());
  if (!testing_help::has_cachestat()) GTEST_SKIP() << "this kernel has no cachestat(2)";
  auto keeper = CacheKeeper::open(file.get());
  ASSERT_TRUE(keeper.ok()) << keeper.error().message;
  if (probe.cached_share(kPart, 3 * kPart) != 0.0) {
    ASSERT_TRUE(testing_help::lives_in_memory(path));
    GTEST_SKIP() << "this file system keeps pages";
  }
  const double first = *probe.cached_share(0, kPart);
  EXPECT_EQ((*keeper)->added_bytes(), 0U);
  std::string buffer(4 * kPart, '\0');
  ASSERT_EQ(pread(file.get(), buffer.data(), buffer.size(), 0), 4 * kPart);
  EXPECT_GE((*keeper)->added_bytes(), static_cast<uint64_t>(kPart));
  (*keeper)->restore();
  EXPECT_EQ((*keeper)->added_bytes(), 0U);
  EXPECT_EQ(*probe.cached_share(kPart, 3 * kPart), 0.0);
  EXPECT_GE(*probe.cached_share(0, kPart), first);
}

}  // namespace
}  // namespace grapnel::hooks
