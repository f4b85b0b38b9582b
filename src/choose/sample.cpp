// Measures the filter on a few hundred records.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "choose/choose.h"
#include "hooks/common/page_cache.h"
#include "op/evaluate.h"

namespace grapnel::choose {
namespace {

constexpr size_t kPlaceBytes = 32 << 10;
constexpr uint64_t kRecordsPerPlace = 128;
constexpr int kFurtherPlaces = 3;
constexpr uint64_t kSampleElsewhereAbove = 1 << 20;

double node_cost(op::Function function, const op::Expr& expr) {
  switch (function) {
    case op::Function::column:
      switch (expr.type.kind) {
        case op::TypeKind::varchar:
          return 1;
        case op::TypeKind::real:
          return 8;
        default:
          return 3;
      }
    case op::Function::constant:
    case op::Function::result:
      return 0;
    case op::Function::like:
      return 10;
    case op::Function::divide:
    case op::Function::integer_divide:
    case op::Function::modulo:
      return 4;
    case op::Function::in_list:
      return 0.5 * static_cast<double>(expr.arguments.size());
    default:
      return 1;
  }
}

double static_cost(const op::Expr& expr) {
  double cost = node_cost(expr.function, expr);
  for (const op::ExprPtr& argument : expr.arguments) cost += static_cost(*argument);
  return cost;
}

// Reads and counts; stops for good at the first record that cannot be evaluated, since the message
// of such an error costs more than the sample.
class FilterSample {
 public:
  FilterSample(const source::Source& source, const op::Op& op)
      : source_(source), op_(op), reader_(source), passed_(op.filter.size(), 0) {}

  void take_place(uint64_t begin) {
    const uint64_t size = std::min<uint64_t>(kPlaceBytes, source_.data_end - begin);
    std::string bytes(static_cast<size_t>(size), '\0');
    // Without readahead: it would bring in what a hook is to see when it comes from the device.
    const int file = source_.file.get();
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
    const auto got = source::read_at(source_, begin, bytes.data(), bytes.size());
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_NORMAL);
    if (!got.ok() || *got == 0) return;
    std::string_view data = std::string_view(bytes).substr(0, *got);
    const bool last = begin + data.size() == source_.data_end;
    const uint64_t skipped = skip_to_record(data, begin);
    take_records(data.substr(skipped), begin + skipped, last);
  }

  [[nodiscard]] uint64_t records() const { return records_; }
  [[nodiscard]] double share(size_t conjunct) const { return ratio(passed_[conjunct]); }
  [[nodiscard]] double share_of_all() const { return ratio(passed_all_); }

 private:
  [[nodiscard]] double ratio(uint64_t count) const {
    return records_ == 0 ? 1 : static_cast<double>(count) / static_cast<double>(records_);
  }

  [[nodiscard]] uint64_t skip_to_record(std::string_view data, uint64_t begin) const {
    if (begin == source_.data_begin) return 0;
    if (source_.layout.format == source::Format::fixed) return 0;  // places are aligned
    const auto state = source::guess_quote_state(source_.layout, data);
    return source::find_record_start(source_.layout, data, state).value_or(data.size());
  }

  void take_records(std::string_view data, uint64_t offset, bool last) {
    for (uint64_t i = 0; i < kRecordsPerPlace && !failed_; i++) {
      const auto end = source::next_record(source_.layout, data, last);
      if (!end) return;
      take_record(data.substr(0, end->content_size), offset);
      data.remove_prefix(end->consumed);
      offset += end->consumed;
    }
  }

  void take_record(std::string_view record, uint64_t offset) {
    reader_.set_record(record, offset);
    if (reader_.is_blank()) return;
    std::vector<size_t> passing;
    for (size_t i = 0; i < op_.filter.size(); i++) {
      const auto value = op::evaluate(*op_.filter[i], reader_);
      if (!value.ok()) {
        failed_ = true;
        return;
      }
      if (!value->is_null && value->integer != 0) passing.push_back(i);
    }
    records_++;
    for (const size_t i : passing) passed_[i]++;
    if (passing.size() == op_.filter.size()) passed_all_++;
  }

  const source::Source& source_;
  const op::Op& op_;
  source::RecordReader reader_;
  std::vector<uint64_t> passed_;
  uint64_t passed_all_ = 0;
  uint64_t records_ = 0;
  bool failed_ = false;
};

void sample_elsewhere(const source::Source& source, FilterSample& sample) {
  const uint64_t total = source.data_end - source.data_begin;
  if (total < kSampleElsewhereAbove) return;
  const hooks::PageCacheProbe probe(source.file.get());
  for (int i = 1; i <= kFurtherPlaces; i++) {
    uint64_t into = total / (kFurtherPlaces + 1) * static_cast<uint64_t>(i);
    if (source.layout.format == source::Format::fixed) into -= into % source.layout.record_bytes;
    const uint64_t begin = source.data_begin + into;
    // A read from the device would take longer than all the rest and start readahead.
    const auto cached = probe.cached_share(begin, begin + kPlaceBytes);
    if (cached && *cached == 1.0) sample.take_place(begin);
  }
}

// Tenths: an order that depended on more would change from run to run with what is cached, and each
// order is a program of its own to compile.
double rank(const ConjunctEstimate& estimate) {
  const double rejected = 1 - std::round(estimate.selectivity * 10) / 10;
  return std::max(rejected, 0.01) / std::max(estimate.cost, 0.5);
}

}  // namespace

FilterEstimate estimate_filter(const source::Source& source, const op::Op& op) {
  FilterEstimate estimate;
  if (op.filter.empty() || source.data_begin >= source.data_end) {
    for (const op::ExprPtr& conjunct : op.filter) {
      estimate.conjuncts.push_back({conjunct, 1, static_cost(*conjunct)});
    }
    return estimate;
  }
  FilterSample sample(source, op);
  sample.take_place(source.data_begin);
  sample_elsewhere(source, sample);
  for (size_t i = 0; i < op.filter.size(); i++) {
    estimate.conjuncts.push_back({op.filter[i], sample.share(i), static_cost(*op.filter[i])});
  }
  estimate.selectivity = sample.share_of_all();
  estimate.sampled_records = sample.records();
  std::stable_sort(estimate.conjuncts.begin(), estimate.conjuncts.end(),
                   [](const auto& a, const auto& b) { return rank(a) > rank(b); });
  return estimate;
}

op::Op reorder_filter(const op::Op& op, const FilterEstimate& estimate) {
  op::Op reordered = op;
  reordered.filter.clear();
  for (const ConjunctEstimate& conjunct : estimate.conjuncts) {
    reordered.filter.push_back(conjunct.conjunct);
  }
  return reordered;
}

}  // namespace grapnel::choose
