#include "fixture.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "program/interpreter.h"
#include "sql/bind.h"
#include "sql/caret.h"
#include "sql/parse.h"

namespace grapnel::bpf_test {
namespace {

/// The name of the hook that the running test is about.
std::string_view tested_hook;

std::string show(const op::Datum& value, op::Type type) {
  return value.is_null ? "NULL" : op::to_text(value, type);
}

std::string show_rows(const program::Job& job, const state::Partial& partial) {
  std::string text;
  for (size_t row = 0; row < partial.rows.size(); row++) {
    text += std::to_string(partial.rows.file_offsets[row]) + ":";
    for (size_t i = 0; i < job.op->outputs.size(); i++) {
      const op::Type type = job.op->outputs[i]->type;
      text += " | " + show(partial.rows.value(row, i, type), type);
    }
    text += '\n';
  }
  return text;
}

std::string show_group(const program::Job& job, const state::Partial& partial, size_t group) {
  const uint64_t* slots = partial.groups.slots(group);
  std::string text = std::to_string(slots[state::kFirstOffsetSlot]) + " x" +
                     std::to_string(slots[state::kRecordCountSlot]) + ":";
  size_t position = 0;
  for (const op::ExprPtr& key : job.op->keys) {
    text +=
        " " + show(state::decode_key(partial.groups.key(group), &position, key->type), key->type);
  }
  for (size_t i = 0; i < job.op->aggregates.size(); i++) {
    const auto value = partial.finish(slots, i);
    text += " | ";
    text += value.ok() ? show(*value, job.op->aggregates[i].type) : value.error().message;
  }
  return text;
}

std::string show(const program::Job& job, const state::Partial& partial) {
  std::string text = show_rows(job, partial);
  std::vector<std::pair<uint64_t, std::string>> groups;
  for (size_t group = 0; group < partial.groups.size(); group++) {
    groups.emplace_back(partial.groups.slots(group)[state::kFirstOffsetSlot],
                        show_group(job, partial, group));
  }
  std::sort(groups.begin(), groups.end());
  for (const auto& [offset, group] : groups) text += group + "\n";
  return text + std::to_string(partial.records) + " records";
}

}  // namespace

Directory::Directory() {
  const char* base = getenv("GRAPNEL_TEST_TMP");
  std::string name = std::string(base != nullptr ? base : "/tmp") + "/bpf-XXXXXX";
  path_ = mkdtemp(name.data());
}

Directory::~Directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Directory::write(std::string_view name, std::string_view content) const {
  std::string path = path_ + "/" + std::string(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::shared_ptr<const program::Job> job_of(const std::string& sql) {
  const auto fail = [&](const Error& error) {
    ADD_FAILURE() << sql::describe(error, sql);
    return nullptr;
  };
  const auto parsed = sql::parse(sql);
  if (!parsed.ok()) return fail(parsed.error());
  const auto source = source::open_source(parsed->table, {});
  if (!source.ok()) return fail(source.error());
  const auto query = sql::bind(*parsed, (*source)->layout.columns);
  if (!query.ok()) return fail(query.error());
  auto job = std::make_shared<program::Job>();
  job->source = *source;
  job->op = std::make_shared<const op::Op>(query->op);
  job->layout = std::make_shared<const state::StateLayout>(state::StateLayout::of(*job->op));
  job->max_groups = 1'000'000;
  return job;
}

Answer run(const std::shared_ptr<const program::Job>& job, const RunOptions& options) {
  const std::string_view name = options.hook.empty() ? tested_hook : options.hook;
  hooks::Hook* hook = hooks::find_hook(name);
  scan::Plan plan;
  plan.job = job;
  plan.program = program::make_interpreter(job);
  plan.choose = [hook](const hooks::Extent&) { return hooks::HookChoice{hook, {}}; };
  plan.threads = options.threads;
  plan.extent_bytes = options.extent_bytes;
  const CancelToken cancel;
  const auto outcome = scan::run(plan, cancel, {});
  Answer answer;
  if (outcome.ok()) {
    answer.text = show(*job, outcome->partial);
    const auto& all = outcome->statistics.hooks;
    if (const auto own = all.find(std::string(name)); own != all.end())
      answer.counters = own->second;
  } else {
    answer.text = "error: " + outcome.error().to_string();
    answer.failed = true;
    answer.error_kind = outcome.error().kind;
  }
  return answer;
}

Answer expect_same(const std::string& sql, const RunOptions& options) {
  const auto job = job_of(sql);
  if (!job) return {};
  const hooks::Verdict verdict = hooks::find_hook(tested_hook)->eligible(*job);
  EXPECT_TRUE(verdict.yes) << verdict.reason << "\n" << sql;
  if (!verdict.yes) return {};
  const Answer expected = run(job, {.hook = "read"});
  Answer answer = run(job, options);
  EXPECT_EQ(answer.text, expected.text) << sql;
  return answer;
}

void KernelHookTest::SetUp() {
  tested_hook = GetParam();
  const hooks::Verdict verdict = hook().permitted();
  if (verdict.yes) return;
  if (geteuid() != 0) GTEST_SKIP() << verdict.reason << "; " << verdict.cure;
  FAIL() << "root may not use the hook " << GetParam() << ": " << verdict.reason << "; "
         << verdict.cure;
}

}  // namespace grapnel::bpf_test
