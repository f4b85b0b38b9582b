#include "lower/bpf/lowering.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "lower/compile.h"
#include "tmpl_csv_bpf.embed.h"
#include "tmpl_fixed_bpf.embed.h"
#include "tmpl_lines_bpf.embed.h"

namespace grapnel::lower::bpf {
namespace {

std::string_view template_for(source::Format format) {
  switch (format) {
    case source::Format::csv:
      return embedded::tmpl_csv_bpf();
    case source::Format::lines:
      return embedded::tmpl_lines_bpf();
    case source::Format::fixed:
      return embedded::tmpl_fixed_bpf();
  }
  return {};
}

constexpr size_t kShortKeyBytes = 7;
constexpr size_t kTailWords = GR_BPF_TEXT_BYTES / 8;

/// An entry of the group table, as groups.bpf.h lays it out.
class GroupEntry {
 public:
  GroupEntry(const Plan& plan, const gr_group_area& area, uint32_t index)
      : plan_(plan), words_(area.words + index * entry_words(plan)) {}

  [[nodiscard]] const gr_u64* slots() const { return words_ + slots_at(plan_); }

  [[nodiscard]] op::Datum key(size_t index) const {
    if ((words_[0] >> index & 1) != 0) return op::Datum::null();
    const gr_u64 head = words_[1 + index];
    if (plan_.keys[index].kind != GR_KEY_TEXT)
      return op::Datum::of_integer(static_cast<int64_t>(head));
    const size_t size = head >> 56;
    const gr_u64* bytes = size > kShortKeyBytes ? words_ + tail_at(index) : words_ + 1 + index;
    return op::Datum::of_text({reinterpret_cast<const char*>(bytes), size});
  }

 private:
  static size_t text_keys(const Plan& plan, size_t before) {
    size_t count = 0;
    for (size_t i = 0; i < before; i++) count += plan.keys[i].kind == GR_KEY_TEXT ? 1 : 0;
    return count;
  }
  [[nodiscard]] size_t tail_at(size_t index) const {
    return 1 + plan_.keys.size() + text_keys(plan_, index) * kTailWords;
  }
  static size_t slots_at(const Plan& plan) {
    return 1 + plan.keys.size() + text_keys(plan, plan.keys.size()) * kTailWords;
  }
  static size_t entry_words(const Plan& plan) { return slots_at(plan) + plan.slot_count; }

  const Plan& plan_;
  const gr_u64* words_;
};

/// The programs count NULLs, which are rare, where the state has the number of values.
void count_values(const Plan& plan, uint64_t* slots) {
  const auto turn = [&](uint32_t slot) {
    slots[slot] = slots[state::kRecordCountSlot] - slots[slot];
  };
  for (const AggregatePlan& aggregate : plan.aggregates) {
    if (aggregate.kind == state::SlotKind::count) turn(aggregate.first_slot);
    if (aggregate.kind == state::SlotKind::sum_exact || aggregate.kind == state::SlotKind::sum_wide)
      turn(aggregate.first_slot + 2);
  }
}

Status add_group(std::string_view key, const gr_u64* slots, const Plan& plan,
                 state::Partial& partial) {
  uint64_t* into = partial.groups.find_or_insert(key);
  if (into == nullptr) return partial.groups.limit_error();
  std::copy_n(slots, plan.slot_count, into);
  count_values(plan, into);
  return ok_status();
}

Result<Lowered> lower_job(const program::Job& job, std::string_view anchor, bool only_if_cached) {
  if (std::string reason = bpf::why_not_lowerable(job); !reason.empty())
    return Error{ErrorKind::hook, std::move(reason), ""};
  GRAPNEL_TRY(Plan plan, make_plan(job, Target::bpf));
  CompileRequest request{.plan = plan,
                         .record_template = template_for(job.source->layout.format),
                         .anchor = anchor,
                         .machine = "bpf v3",
                         .entry = "",
                         .bpf_cpu = "v3",
                         .only_if_cached = only_if_cached};
  GRAPNEL_TRY(CompiledObject compiled, compile(request, user_cache()));
  return Lowered{std::move(plan), std::move(compiled.bytes), compiled.from_cache};
}

}  // namespace

std::string why_not_lowerable(const program::Job& job) {
  if (job.source->layout.record_bytes > GR_PAGE_BYTES)
    return "records of more than 4096 bytes do not fit the memory of a BPF program";
  return lower::why_not_lowerable(job, Target::bpf);
}

Result<Lowered> lower_job(const program::Job& job, std::string_view anchor) {
  return lower_job(job, anchor, false);
}

bool is_compiled(const program::Job& job, std::string_view anchor) {
  return lower_job(job, anchor, true).ok();
}

void prepare_worker(gr_worker& worker, uint32_t number, const gr_parameters& parameters) {
  worker.number = number;
  worker.parameters = parameters;
  std::memset(worker.padding, 0, sizeof worker.padding);
  worker.padding[0] = worker.padding[1] = '\n';
}

void reset_worker(gr_worker& worker, uint64_t file_offset) {
  worker.file_offset = file_offset;
  worker.carry = worker.long_record = worker.long_begin = 0;
  worker.inside_quotes = worker.after_quote = worker.irregular = worker.had_quotes = 0;
  worker.records = worker.bytes = 0;
  worker.longest_run_ns = 0;
  worker.generation++;
  worker.groups = 0;
  worker.status = GR_STATUS_OK;
  worker.out_bytes = 0;
  worker.to_walk_count = 0;
  std::fill(std::begin(worker.state), std::end(worker.state), 0);
  worker.state[state::kFirstOffsetSlot] = ~gr_u64{0};
  worker.data[GR_PAGE_BYTES - 1] = '\n';  // a record starts here
}

Status add_worker_state(const program::Job& job, const Plan& plan, const gr_worker& worker,
                        const gr_group_area* groups, state::Partial& partial) {
  if (!job.op->aggregating) return ok_status();
  state::Partial gathered = job.make_partial();
  if (plan.keys.empty()) {
    if (worker.state[state::kRecordCountSlot] == 0) return ok_status();
    GRAPNEL_CHECK(add_group({}, worker.state, plan, gathered));
  } else {
    std::string key;
    for (size_t n = 0; n < worker.groups; n++) {
      const GroupEntry entry(plan, *groups, worker.group_list[n]);
      key.clear();
      for (size_t i = 0; i < plan.keys.size(); i++)
        state::encode_key(key, entry.key(i), job.op->keys[i]->type);
      GRAPNEL_CHECK(add_group(key, entry.slots(), plan, gathered));
    }
  }
  return partial.merge(std::move(gathered));
}

}  // namespace grapnel::lower::bpf
