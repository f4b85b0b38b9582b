#include "choose/choose.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "choose/extent_chooser.h"
#include "file_system.h"
#include "hooks/scan_fixture.h"

namespace grapnel::choose {
namespace {

using namespace scan_test;

/// A program in name only: the chooser looks at nothing else.
class NamedProgram final : public program::Program {
 public:
  explicit NamedProgram(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] std::unique_ptr<program::Runner> make_runner() const override { return nullptr; }
  [[nodiscard]] std::string name() const override { return name_; }

 private:
  std::string name_;
};

/// A directory of its own for what is measured: the choices tested here are those by the defaults.
class OwnCache final : public testing::Environment {
  void SetUp() override { setenv("XDG_CACHE_HOME", directory_.path().c_str(), 1); }
  Directory directory_;
};
[[maybe_unused]] const auto* const kOwnCache = testing::AddGlobalTestEnvironment(new OwnCache);

std::string numbers(int count) {
  std::string content;
  for (int i = 0; i < count; i++) content += std::to_string(i) + ",some text\n";
  return content;
}

const Candidate& find(const Decision& decision, std::string_view hook) {
  for (const Candidate& candidate : decision.candidates) {
    if (candidate.hook == hook) return candidate;
  }
  ADD_FAILURE() << "no candidate " << hook;
  return decision.candidates.front();
}

Result<Decision> decide_for(const std::shared_ptr<const program::Job>& job,
                            std::string_view request) {
  return decide(job, std::make_shared<NamedProgram>("native test"), *parse_hook_request(request), 2,
                1);
}

TEST(HookRequest, Forms) {
  EXPECT_EQ(parse_hook_request("")->name, "");
  EXPECT_EQ(parse_hook_request("any")->name, "");
  EXPECT_EQ(parse_hook_request("read")->name, "read");
  EXPECT_FALSE(parse_hook_request("read")->others_allowed);
  EXPECT_TRUE(parse_hook_request("direct,any")->others_allowed);
  for (const char* wrong : {"raed", "read,", "read,mmap", ",any", "raed,any"}) {
    const auto request = parse_hook_request(wrong);
    ASSERT_FALSE(request.ok()) << wrong;
    EXPECT_EQ(request.error().kind, ErrorKind::usage);
    EXPECT_NE(request.error().hint.find("direct"), std::string::npos);
  }
}

TEST(Decide, CachedGoesThroughReadUncachedThroughDirect) {
  const Directory directory;
  const std::string path = directory.write("t.csv", numbers(200'000));
  const auto job = sum_job(open_csv(path, '\0'), 0);
  const int file = ::open(path.c_str(), O_RDWR);
  ASSERT_GE(file, 0);
  ASSERT_EQ(fsync(file), 0);
  hooks::Extent extent;
  extent.end = job->source->data_end;

  const auto cached = decide_for(job, "");
  ASSERT_TRUE(cached.ok());
  EXPECT_EQ(cached->choose(extent).first->name(), "read") << to_text(*cached);
  EXPECT_TRUE(find(*cached, "read").chosen);
  EXPECT_FALSE(find(*cached, "mmap").chosen);
  EXPECT_NE(find(*cached, "mmap").reason.find("SIGBUS"), std::string::npos);

  ASSERT_EQ(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
  close(file);
  const auto cold = decide_for(job, "");
  ASSERT_TRUE(cold.ok());
  if (cold->cache.residency != hooks::Residency::uncached) {
    ASSERT_TRUE(testing_help::lives_in_memory(path)) << cold->cache.how << to_text(*cold);
    GTEST_SKIP() << "this file system keeps its pages: " << cold->cache.how;
  }
  if (!find(*cold, "direct").eligible) {
    ASSERT_FALSE(testing_help::has_direct_io(path)) << find(*cold, "direct").reason;
    GTEST_SKIP() << find(*cold, "direct").reason;
  }
  const hooks::HookChoice choice = cold->choose(extent);
  EXPECT_EQ(choice.first->name(), "direct") << to_text(*cold);
  EXPECT_FALSE(choice.fallbacks.empty());
  EXPECT_GT(find(*cold, "direct").cost.device_bytes, 0U);
}

TEST(Decide, ForcedIsStrictUnlessOthersAreAllowed) {
  const Directory directory;
  const auto job = sum_job(open_csv(directory.write("t.csv", numbers(10)), '\0'), 0);
  hooks::Extent extent;
  extent.end = job->source->data_end;
  const auto strict = decide_for(job, "mmap");
  ASSERT_TRUE(strict.ok());
  EXPECT_EQ(strict->choose(extent).first->name(), "mmap");
  EXPECT_TRUE(strict->choose(extent).fallbacks.empty());
  const auto soft = decide_for(job, "mmap,any");
  ASSERT_TRUE(soft.ok());
  EXPECT_EQ(soft->choose(extent).first->name(), "mmap");
  EXPECT_FALSE(soft->choose(extent).fallbacks.empty());
  EXPECT_NE(to_text(*soft).find("* mmap"), std::string::npos) << to_text(*soft);
}

TEST(Decide, AsksOnlyWhomItMustUnlessItIsToExplain) {
  const Directory directory;
  const auto job = sum_job(open_csv(directory.write("t.csv", numbers(10)), '\0'), 0);
  HookRequest request;
  request.ask_all = false;
  const auto decide_with = [&] {
    return decide(job, std::make_shared<NamedProgram>("native test"), request, 2, 1);
  };
  const auto quick = decide_with();
  ASSERT_TRUE(quick.ok());
  EXPECT_EQ(quick->candidates.size(), hooks::all_hooks().size());
  hooks::Extent extent;
  extent.end = job->source->data_end;
  EXPECT_EQ(quick->choose(extent).first->name(), "read");
  for (const Candidate& candidate : quick->candidates) {
    EXPECT_FALSE(candidate.reason.empty());
    if (hooks::find_hook(candidate.hook)->in_kernel()) {
      EXPECT_FALSE(candidate.asked);
    }
  }
  request.ask_all = true;
  const auto full = decide_with();
  for (const Candidate& candidate : full->candidates) EXPECT_TRUE(candidate.asked);
}

Result<Decision> decide_within(const std::shared_ptr<const program::Job>& job,
                               const UserLimits& limits, std::string_view hook = "") {
  HookRequest request = *parse_hook_request(hook);
  request.limits = limits;
  return decide(job, std::make_shared<NamedProgram>("native test"), request, 2, 1);
}

/// A file of 1 GiB of which but the beginning is written.
std::shared_ptr<const program::Job> large_job(const std::string& path) {
  EXPECT_EQ(::truncate(path.c_str(), 1 << 30), 0);
  return sum_job(open_csv(path, '\0'), 0);
}

hooks::Extent extent_at(uint64_t begin) {
  hooks::Extent extent;
  extent.begin = begin;
  extent.end = begin + (4 << 20);
  return extent;
}

/// What 64 MiB through `hook` took, `times` as much as was expected.
hooks::ExtentTime took(const Decision& decision, const hooks::Hook& hook, bool cached,
                       double times) {
  const Candidate& candidate = find(decision, hook.name());
  const hooks::Cost& cost = cached ? candidate.if_cached : candidate.if_uncached;
  const double share = static_cast<double>(ExtentChooser::kLeastBytes) / (1 << 30);
  const double seconds = (cost.wall_seconds - hook.setup_seconds()) * share * times * 2;
  return {&hook, ExtentChooser::kLeastBytes, cached ? 0 : ExtentChooser::kLeastBytes, seconds,
          seconds};
}

TEST(Correction, WhatIsFarDearerThanExpectedGivesWayToTheNextBest) {
  const Directory directory;
  const auto job = large_job(directory.write("t.csv", numbers(300'000)));
  const auto decision = decide_for(job, "");
  ASSERT_TRUE(decision.ok());
  const hooks::Extent uncached = extent_at(512 << 20);
  const hooks::Hook& first = *decision->choose(uncached).first;
  const hooks::Hook& second = *decision->choose(uncached).fallbacks.front();
  decision->observe(took(*decision, first, false, 50));
  EXPECT_EQ(decision->choose(uncached).first, &second) << to_text(*decision);
  EXPECT_NE(decision->corrections().find(std::string(first.name()) + " took 50 times"),
            std::string::npos)
      << decision->corrections();
  EXPECT_NE(decision->corrections().find("after 67.11 MB of 1.074 GB"), std::string::npos)
      << decision->corrections();
  // Back again where the other one is worse still; from the first correction on by what was
  // measured, however near to what was expected.
  decision->observe(took(*decision, second, false, 5000));
  EXPECT_NE(decision->choose(uncached).first, &second);
}

TEST(Correction, WhatIsNearToWhatWasExpectedChangesNothing) {
  const Directory directory;
  const auto job = large_job(directory.write("t.csv", numbers(300'000)));
  const auto decision = decide_for(job, "");
  ASSERT_TRUE(decision.ok());
  const hooks::Extent uncached = extent_at(512 << 20);
  const hooks::Hook& first = *decision->choose(uncached).first;
  for (const double times : {1.0, 0.6, 1.9}) {
    decision->observe(took(*decision, first, false, times));
  }
  hooks::ExtentTime little = took(*decision, first, false, 50);
  little.bytes = little.device_bytes = ExtentChooser::kLeastBytes / 2;
  decision->observe(little);
  hooks::ExtentTime mixed = took(*decision, first, false, 50);
  mixed.device_bytes /= 2;
  decision->observe(mixed);
  EXPECT_EQ(decision->choose(uncached).first, &first);
  EXPECT_EQ(decision->corrections(), "");
}

TEST(Correction, ADearProgramIsDearForAllHooksInUserSpace) {
  const Directory directory;
  const auto job = large_job(directory.write("t.csv", numbers(300'000)));
  const auto decision = decide_within(job, {.no_kernel = true});
  ASSERT_TRUE(decision.ok());
  const hooks::Hook& read = *hooks::find_hook("read");
  const auto names_of = [](const hooks::HookChoice& choice) {
    std::string names(choice.first->name());
    for (const hooks::Hook* hook : choice.fallbacks) names += " " + std::string(hook->name());
    return names;
  };
  const std::string before = names_of(decision->choose(extent_at(0)));
  decision->observe(took(*decision, read, true, 20));
  EXPECT_EQ(names_of(decision->choose(extent_at(0))), before);
  EXPECT_NE(decision->corrections(), "");
}

TEST(Correction, WhoWasNotAskedIsAskedThen) {
  const Directory directory;
  const auto job = large_job(directory.write("t.csv", numbers(300'000)));
  HookRequest request;
  request.ask_all = false;
  const auto decision = decide(job, std::make_shared<NamedProgram>("native test"), request, 2, 1);
  ASSERT_TRUE(decision.ok());
  const hooks::Extent cached = extent_at(0);
  const hooks::HookChoice before = decision->choose(cached);
  decision->observe(took(*decision, *before.first, true, 1000));
  const hooks::HookChoice after = decision->choose(cached);
  // Who may use hooks in the kernel has one that is cheaper by far now.
  hooks::Hook& pipe = *hooks::find_hook("pipe");
  if (pipe.permitted().yes && pipe.eligible(*job).yes) {
    EXPECT_TRUE(after.first->in_kernel()) << after.first->name();
  } else {
    EXPECT_FALSE(after.first->in_kernel()) << after.first->name();
  }
}

TEST(Limits, NoKernelRulesOutWithoutAsking) {
  const Directory directory;
  const auto job = sum_job(open_csv(directory.write("t.csv", numbers(10)), '\0'), 0);
  const auto decision = decide_within(job, {.no_kernel = true});
  ASSERT_TRUE(decision.ok());
  for (const Candidate& candidate : decision->candidates) {
    const bool in_kernel = hooks::find_hook(candidate.hook)->in_kernel();
    EXPECT_EQ(candidate.ruled_out, in_kernel) << candidate.hook;
    EXPECT_FALSE(in_kernel && (candidate.permitted || candidate.chosen)) << candidate.hook;
    if (in_kernel) {
      EXPECT_NE(candidate.reason.find("--no-kernel"), std::string::npos);
    }
  }
  const auto forced = decide_within(job, {.no_kernel = true}, "read");
  EXPECT_TRUE(forced.ok());
}

TEST(Limits, PoliteGoesAroundTheCacheForWhatIsNotCached) {
  const Directory directory;
  const std::string path = directory.write("t.csv", numbers(400'000));
  const auto job = sum_job(open_csv(path, '\0'), 0);
  const int file = ::open(path.c_str(), O_RDWR);
  ASSERT_GE(file, 0);
  ASSERT_EQ(fsync(file), 0);
  hooks::Extent extent;
  extent.end = job->source->data_end;
  if (look_at_whole_file(*job->source) == WholeFile::cached) {
    const auto cached = decide_within(job, {.polite = true}, "read");
    EXPECT_TRUE(cached.ok());
  }
  ASSERT_EQ(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
  close(file);
  if (const WholeFile left = look_at_whole_file(*job->source); left != WholeFile::not_cached) {
    ASSERT_TRUE(!testing_help::has_cachestat() || testing_help::lives_in_memory(path))
        << static_cast<int>(left);
    GTEST_SKIP() << "this file system keeps its pages, or this kernel does not say which";
  }
  const auto forced = decide_within(job, {.polite = true}, "read");
  ASSERT_FALSE(forced.ok());
  EXPECT_EQ(forced.error().kind, ErrorKind::hook);
  EXPECT_NE(forced.error().message.find("would fill the page cache"), std::string::npos);
  const auto decision = decide_within(job, {.polite = true});
  ASSERT_TRUE(decision.ok()) << decision.error().message;
  const hooks::HookChoice choice = decision->choose(extent);
  EXPECT_FALSE(choice.first->facts().fills_cache) << to_text(*decision);
  for (const hooks::Hook* hook : choice.fallbacks) EXPECT_FALSE(hook->facts().fills_cache);
}

TEST(Limits, MaxCpuMeansThreadsAndShares) {
  EXPECT_EQ(limit_threads(4, 0).threads, 4U);
  EXPECT_EQ(limit_threads(4, 9).threads, 4U);
  EXPECT_EQ(limit_threads(4, 9).cpu_share, 1);
  EXPECT_EQ(limit_threads(4, 1.5).threads, 2U);
  EXPECT_DOUBLE_EQ(limit_threads(4, 1.5).cpu_share, 0.75);
  EXPECT_EQ(limit_threads(4, 0.25).threads, 1U);
  EXPECT_DOUBLE_EQ(limit_threads(4, 0.25).cpu_share, 0.25);
  EXPECT_EQ(limit_threads(0, 0).threads, 1U);
  for (const hooks::Hook* hook : hooks::all_hooks()) {
    const auto verdict = allowed(*hook, {.max_cpus = 1}, WholeFile::unknown);
    EXPECT_EQ(verdict.yes, !hook->facts().in_interrupts) << hook->name();
  }
}

TEST(Facts, EveryHookSaysWhatItIs) {
  for (const hooks::Hook* hook : hooks::all_hooks()) {
    const hooks::HookFacts facts = hook->facts();
    for (const auto text : {facts.uses, facts.since, facts.context, facts.knows_file_by,
                            facts.knows_process_by, facts.tax}) {
      EXPECT_FALSE(text.empty()) << hook->name();
    }
    EXPECT_TRUE(facts.sees_cached || facts.sees_uncached) << hook->name();
    EXPECT_EQ(facts.kind != hooks::PlaceKind::none, hook->in_kernel()) << hook->name();
    EXPECT_EQ(facts.foundation != hooks::Foundation::system_calls, hook->in_kernel())
        << hook->name();
  }
}

op::ExprPtr compare_number(op::Function function, int64_t value) {
  return op::make_call(
      function, op::Type::of(op::TypeKind::boolean),
      {op::make_column(0, kBigint), op::make_constant(op::Datum::of_integer(value), kBigint)});
}

TEST(FilterOrder, SelectiveAndCheapFirst) {
  const Directory directory;
  const auto source = open_csv(directory.write("t.csv", numbers(1000)), '\0');
  op::Op op;
  op.aggregating = true;
  op.filter = {compare_number(op::Function::greater_equal, 0),
               compare_number(op::Function::less, 5)};
  const FilterEstimate estimate = estimate_filter(*source, op);
  EXPECT_GT(estimate.sampled_records, 50U);
  ASSERT_EQ(estimate.conjuncts.size(), 2U);
  EXPECT_EQ(estimate.conjuncts[0].conjunct->function, op::Function::less);
  EXPECT_LT(estimate.conjuncts[0].selectivity, 0.1);
  EXPECT_EQ(estimate.conjuncts[1].selectivity, 1.0);
  EXPECT_DOUBLE_EQ(estimate.selectivity, estimate.conjuncts[0].selectivity);
  const op::Op reordered = reorder_filter(op, estimate);
  EXPECT_EQ(reordered.filter[0]->function, op::Function::less);
  EXPECT_EQ(reordered.filter.size(), 2U);
}

TEST(FilterOrder, BadRecordsAndEmptyFilesDoNotMatter) {
  const Directory directory;
  op::Op op;
  op.filter = {compare_number(op::Function::less, 5)};
  const auto bad = open_csv(directory.write("t.csv", "1,a\nx,b\n2,c\n"), '\0');
  EXPECT_EQ(estimate_filter(*bad, op).conjuncts.size(), 1U);
  const auto empty = open_csv(directory.write("e.csv", ""), '\0');
  EXPECT_EQ(estimate_filter(*empty, op).sampled_records, 0U);
  EXPECT_EQ(reorder_filter(op, estimate_filter(*empty, op)).filter.size(), 1U);
}

}  // namespace
}  // namespace grapnel::choose
