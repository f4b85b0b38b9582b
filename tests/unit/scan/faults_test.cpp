// Hooks that refuse, fail or come late; files that change; cancelling.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "hooks/scan_fixture.h"

namespace grapnel::scan {
namespace {

using namespace scan_test;

/// The read hook behind a function that is asked before each extent and may fail it.
class ProxyHook final : public hooks::Hook {
 public:
  using Before = std::function<Status(const hooks::Extent&)>;
  explicit ProxyHook(Before before) : before_(std::move(before)) {}

  [[nodiscard]] std::string_view name() const override { return "proxy"; }
  [[nodiscard]] std::string_view description() const override { return "for tests"; }
  [[nodiscard]] bool in_kernel() const override { return false; }
  hooks::Verdict permitted() override { return hooks::Verdict::allow(); }
  hooks::Verdict eligible(const program::Job&) override { return hooks::Verdict::allow(); }
  [[nodiscard]] hooks::Cost cost(const hooks::Extent&, hooks::Residency,
                                 const program::Job&) const override {
    return {};
  }
  Result<std::unique_ptr<hooks::Session>> open(
      std::shared_ptr<const program::Job> job,
      std::shared_ptr<const program::Program> program) override {
    GRAPNEL_TRY(auto inner, hooks::find_hook("read")->open(std::move(job), std::move(program)));
    return std::unique_ptr<hooks::Session>(std::make_unique<Proxy>(*this, std::move(inner)));
  }

 private:
  class Proxy final : public hooks::Session {
   public:
    Proxy(ProxyHook& hook, std::unique_ptr<hooks::Session> inner)
        : hook_(hook), inner_(std::move(inner)) {}
    Result<hooks::ExtentResult> drive(const hooks::Extent& extent,
                                      const CancelToken& cancel) override {
      GRAPNEL_CHECK(hook_.before_(extent));
      return inner_->drive(extent, cancel);
    }

   private:
    ProxyHook& hook_;
    std::unique_ptr<hooks::Session> inner_;
  };
  Before before_;
};

Error error_of(ErrorKind kind, std::string message) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  return error;
}

std::string numbers(int count) {
  std::string content;
  for (int i = 0; i < count; i++) content += std::to_string(i) + ",\"some text\"\n";
  return content;
}

TEST(Faults, FallbackTakesWhatAHookHandsBack) {
  const Directory directory;
  const auto job = sum_job(open_csv(directory.write("t.csv", numbers(3000))), 0);
  ProxyHook refusing([](const hooks::Extent& extent) -> Status {
    if (extent.number % 3 == 0) return error_of(ErrorKind::hook, "not this one");
    return ok_status();
  });
  Plan plan = make_plan(job, &refusing, 3, 1000);
  plan.choose = [&](const hooks::Extent&) {
    return HookChoice{&refusing, {hooks::find_hook("read")}};
  };
  const CancelToken cancel;
  const auto outcome = run(plan, cancel, {});
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
  EXPECT_EQ(show(*job, outcome->partial), truth(job));
  const auto& hooks = outcome->statistics.hooks;
  EXPECT_GT(hooks.at("proxy").failed_extents, 10U);
  EXPECT_GT(hooks.at("proxy").bytes, hooks.at("read").bytes);
  const uint64_t total =
      hooks.at("proxy").bytes + hooks.at("read").bytes + outcome->statistics.stitched.bytes;
  EXPECT_EQ(total, job->source->data_end);

  plan.choose = [&](const hooks::Extent&) { return HookChoice{&refusing, {}}; };
  const auto strict = run(plan, cancel, {});
  ASSERT_FALSE(strict.ok());
  EXPECT_EQ(strict.error().kind, ErrorKind::hook);
  EXPECT_NE(strict.error().message.find("not this one"), std::string::npos);
}

TEST(Faults, WritersAreRefusedBeforeAnythingIsRead) {
  const Directory directory;
  const std::string path = directory.write("t.csv", numbers(3000));
  const auto job = sum_job(open_csv(path, '\0'), 0);
  std::atomic<int> driven{0};
  ProxyHook counting([&driven](const hooks::Extent&) {
    driven++;
    return ok_status();
  });
  Plan plan = make_plan(job, &counting, 2, 1000);
  plan.refuse_writers = true;
  const CancelToken cancel;
  const int writer = ::open(path.c_str(), O_WRONLY);
  ASSERT_GE(writer, 0);
  const auto refused = run(plan, cancel, {});
  close(writer);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::changed);
  EXPECT_NE(refused.error().message.find("open for writing"), std::string::npos);
  EXPECT_EQ(driven, 0);
  EXPECT_TRUE(run(plan, cancel, {}).ok());
  EXPECT_GT(driven, 0);
}

TEST(Faults, OutOfOrderCompletionKeepsRowOrder) {
  const Directory directory;
  const auto job = rows_job(open_csv(directory.write("t.csv", numbers(4000))));
  std::atomic<int> calls{0};
  ProxyHook slow([&calls](const hooks::Extent&) {
    std::this_thread::sleep_for(std::chrono::microseconds(calls++ % 7 == 0 ? 2000 : 50));
    return ok_status();
  });
  EXPECT_EQ(run_plan(make_plan(job, &slow, 8, 500)), truth(job));
}

// More bytes of fragments wait for the first extent than may be kept: they are read again.
TEST(Faults, WaitingFragmentsAreBounded) {
  const Directory directory;
  std::string content;
  for (int i = 0; i < 12; i++) content += std::string(7 << 20, static_cast<char>('a' + i)) + "\n";
  const auto job = sum_job(open_lines(directory.write("long", content)), 1);
  std::atomic<int> others{0};
  ProxyHook hook([&others](const hooks::Extent& extent) {
    while (extent.number == 0 && others < 14) std::this_thread::yield();
    others++;
    return ok_status();
  });
  EXPECT_EQ(run_plan(make_plan(job, &hook, 4, 4 << 20)), truth(job));
}

TEST(Faults, EveryExtentOnceAndWithinTheWindow) {
  const Directory directory;
  const auto job = sum_job(open_csv(directory.write("t.csv", numbers(3000)), '\0'), 0);
  std::mutex mutex;
  std::set<uint32_t> seen;
  bool twice = false;
  bool first_done = false;
  uint32_t largest_before_first = 0;
  ProxyHook recording([&](const hooks::Extent& extent) {
    if (extent.number == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const std::lock_guard lock(mutex);
    twice |= !seen.insert(extent.number).second;
    if (extent.number == 0) first_done = true;
    if (!first_done) largest_before_first = std::max(largest_before_first, extent.number);
    return ok_status();
  });
  EXPECT_EQ(run_plan(make_plan(job, &recording, 4, 100)), truth(job));
  EXPECT_FALSE(twice);
  EXPECT_GT(seen.size(), 100U);
  EXPECT_LT(largest_before_first, 20U);
}

TEST(Faults, CancelStopsAllWorkers) {
  const Directory directory;
  const auto job = sum_job(open_csv(directory.write("t.csv", numbers(3000))), 0);
  CancelToken cancel;
  std::atomic<int> driven{0};
  ProxyHook hook([&](const hooks::Extent&) {
    if (++driven == 5) cancel.cancel();
    return ok_status();
  });
  const auto outcome = run(make_plan(job, &hook, 3, 100), cancel, {});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::cancelled);
  EXPECT_LT(driven, 20);
}

/// Runs `change` on the file in the middle of a scan.
Result<Outcome> run_with_change(const std::shared_ptr<const program::Job>& job,
                                const std::function<void()>& change, bool error_if_grown = false) {
  std::atomic<bool> done{false};
  ProxyHook hook([&](const hooks::Extent& extent) {
    // The lease makes a writer wait until the scan gives it back, so the change has its own thread.
    if (extent.number == 5 && !done.exchange(true)) std::thread(change).join();
    return ok_status();
  });
  Plan plan = make_plan(job, &hook, 2, 1000);
  plan.error_if_grown = error_if_grown;
  const CancelToken cancel;
  return run(plan, cancel, {});
}

TEST(Faults, ChangesOfTheFile) {
  const Directory directory;
  const std::string path = directory.write("t.csv", numbers(2000));
  const auto fresh_job = [&] {
    (void)directory.write("t.csv", numbers(2000));
    return sum_job(open_csv(path), 0);
  };
  const auto expect_changed = [](const Result<Outcome>& outcome, const std::string& how) {
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().kind, ErrorKind::changed);
    EXPECT_NE(outcome.error().message.find(how), std::string::npos) << outcome.error().message;
  };

  auto job = fresh_job();
  expect_changed(run_with_change(job, [&] { ASSERT_EQ(truncate(path.c_str(), 100), 0); }), "");

  job = fresh_job();
  expect_changed(run_with_change(job,
                                 [&] {
                                   const int file = ::open(path.c_str(), O_WRONLY);
                                   ASSERT_EQ(pwrite(file, "9", 1, 0), 1);
                                   close(file);
                                 }),
                 "written to");

  job = fresh_job();
  expect_changed(run_with_change(job,
                                 [&] {
                                   const std::string other = directory.write("new.csv", "1,x\n");
                                   ASSERT_EQ(rename(other.c_str(), path.c_str()), 0);
                                 }),
                 "replaced");

  const auto append = [&] { std::ofstream(path, std::ios::app) << "1,more\n"; };
  job = fresh_job();
  const std::string before = truth(job);
  const auto grown = run_with_change(job, append);
  ASSERT_TRUE(grown.ok()) << grown.error().to_string();
  EXPECT_EQ(show(*job, grown->partial), before);
  ASSERT_EQ(grown->statistics.warnings.size(), 1U);
  EXPECT_NE(grown->statistics.warnings[0].find("grew"), std::string::npos);

  job = fresh_job();
  expect_changed(run_with_change(job, append, true), "grew");
}

TEST(Faults, StabilityNamesWritersAndLeases) {
  const Directory directory;
  const std::string path = directory.write("t.csv", numbers(10));
  const auto job = sum_job(open_csv(path), 0);
  const Plan plan = make_plan(job, hooks::find_hook("read"));
  const CancelToken cancel;
  const std::string alone = run(plan, cancel, {})->statistics.stability;
  EXPECT_TRUE(alone == "leased" || alone == "checked") << alone;
  if (alone == "leased") {
    const int writer = ::open(path.c_str(), O_WRONLY);
    ASSERT_GE(writer, 0);
    EXPECT_EQ(run(plan, cancel, {})->statistics.stability, "open for writing");
    close(writer);
  }
}

TEST(Faults, TruncationUnderMmapIsAnErrorNotASignal) {
  const Directory directory;
  const std::string path = directory.write("t.csv", numbers(100'000));
  const auto job = sum_job(open_csv(path, '\0'), 0);
  ASSERT_EQ(truncate(path.c_str(), 4096), 0);
  const auto outcome = [&] {
    const CancelToken cancel;
    return run(make_plan(job, hooks::find_hook("mmap"), 2, 64 << 10), cancel, {});
  }();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::changed);
}

TEST(Faults, TooManyGroupsIsAnErrorThatSaysSo) {
  const Directory directory;
  auto source = open_csv(directory.write("t.csv", numbers(1000)));
  op::Op op;
  op.aggregating = true;
  op.keys = {op::make_column(0, kBigint)};
  op.aggregates = {{op::AggregateKind::count_rows, nullptr, kBigint}};
  auto job = std::make_shared<program::Job>(*make_job(std::move(source), std::move(op)));
  const CancelToken cancel;
  for (const size_t groups : {size_t{1000}, size_t{999}, size_t{10}}) {
    job->max_groups = groups;
    const auto outcome = run(make_plan(job, hooks::find_hook("read"), 2, 1500), cancel, {});
    ASSERT_EQ(outcome.ok(), groups == 1000);
    if (outcome.ok()) continue;
    EXPECT_EQ(outcome.error().kind, ErrorKind::limit);
    EXPECT_NE(outcome.error().message.find("groups"), std::string::npos);
  }
}

TEST(Faults, ProgressIsReported) {
  const Directory directory;
  const auto job = sum_job(open_csv(directory.write("t.csv", numbers(3000))), 0);
  ProxyHook slow([](const hooks::Extent&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
    return ok_status();
  });
  std::vector<Progress> reports;
  const CancelToken cancel;
  const auto outcome = run(make_plan(job, &slow, 2, 1000), cancel,
                           [&](const Progress& progress) { reports.push_back(progress); });
  ASSERT_TRUE(outcome.ok());
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports.back().bytes_total, job->source->data_end);
  EXPECT_EQ(reports.back().hook, "proxy");
  for (size_t i = 1; i < reports.size(); i++) {
    EXPECT_GE(reports[i].bytes_done, reports[i - 1].bytes_done);
  }
}

}  // namespace
}  // namespace grapnel::scan
