#include "engine/result_size.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "engine/arrow_export.h"
#include "op/evaluate.h"

namespace grapnel::engine {
namespace {

constexpr double kGuessedGroups = 100;
constexpr double kGuessedTextBytes = 20;
constexpr size_t kSampleBytes = 32 << 10;
constexpr uint64_t kMostRecords = 256;
constexpr double kTextOffsetBytes = 4;

/// Of one row, with `text_bytes` for each text.
double row_bytes(const std::vector<op::OutputColumn>& columns, double text_bytes) {
  double bytes = 0;
  for (const auto& column : columns) {
    const bool is_text = column.type.kind == op::TypeKind::varchar;
    bytes += is_text ? text_bytes + kTextOffsetBytes : value_bytes(column.type);
  }
  return bytes;
}

/// Rows that the first records give.
class RowSample {
 public:
  explicit RowSample(const program::Job& job) : job_(job), reader_(*job.source) {}

  void take(std::string_view data, uint64_t offset) {
    const source::Source& source = *job_.source;
    const bool last = offset + data.size() == source.data_end;
    while (records_ < kMostRecords && !failed_) {
      const auto end = source::next_record(source.layout, data, last);
      if (!end) return;
      take_record(data.substr(0, end->content_size), offset);
      record_bytes_ += static_cast<double>(end->consumed);
      data.remove_prefix(end->consumed);
      offset += end->consumed;
    }
  }

  [[nodiscard]] double mean_record_bytes() const {
    return records_ == 0 ? 0 : record_bytes_ / static_cast<double>(records_);
  }
  /// Of one row, all texts together; negative if there was no row.
  [[nodiscard]] double mean_text_bytes() const {
    return rows_ == 0 ? -1 : text_bytes_ / static_cast<double>(rows_);
  }

 private:
  // Stops for good where something is wrong: the message of an error costs more than the sample.
  void take_record(std::string_view record, uint64_t offset) {
    reader_.set_record(record, offset);
    records_++;
    if (reader_.is_blank()) return;
    for (const auto& conjunct : job_.op->filter) {
      const auto passes = op::evaluate(*conjunct, reader_);
      failed_ = !passes.ok();
      if (failed_ || passes->is_null || passes->integer == 0) return;
    }
    double bytes = 0;
    for (const auto& output : job_.op->outputs) {
      if (output->type.kind != op::TypeKind::varchar) continue;
      const auto value = op::evaluate(*output, reader_);
      failed_ = !value.ok();
      if (failed_) return;
      bytes += static_cast<double>(value->text.size());
    }
    text_bytes_ += bytes;
    rows_++;
  }

  const program::Job& job_;
  source::RecordReader reader_;
  uint64_t records_ = 0;
  uint64_t rows_ = 0;
  double record_bytes_ = 0;
  double text_bytes_ = 0;
  bool failed_ = false;
};

double rows_bytes(const Prepared& prepared) {
  const source::Source& source = *prepared.job->source;
  const auto data_bytes = static_cast<double>(source.data_end - source.data_begin);
  std::string bytes(std::min<uint64_t>(kSampleBytes, source.data_end - source.data_begin), '\0');
  const auto got = source::read_at(source, source.data_begin, bytes.data(), bytes.size());
  RowSample sample(*prepared.job);
  if (got.ok()) sample.take(std::string_view(bytes).substr(0, *got), source.data_begin);
  const std::vector<op::OutputColumn>& columns = prepared.query.schema;
  double row = row_bytes(columns, kGuessedTextBytes);
  if (sample.mean_text_bytes() >= 0) row = row_bytes(columns, 0) + sample.mean_text_bytes();
  const double record = sample.mean_record_bytes() > 0 ? sample.mean_record_bytes() : row;
  double rows = data_bytes / std::max(record, 1.0) * prepared.estimate.selectivity;
  if (const auto& limit = prepared.query.finish.limit) {
    rows = std::min(rows, static_cast<double>(*limit));
  }
  return rows * row;
}

}  // namespace

double estimate_result_bytes(const Prepared& prepared) {
  const op::Query& query = prepared.query;
  if (!query.op.aggregating) return rows_bytes(prepared);
  double groups = query.op.keys.empty() ? 1 : kGuessedGroups;
  if (query.finish.limit) groups = std::min(groups, static_cast<double>(*query.finish.limit));
  return groups * row_bytes(query.schema, kGuessedTextBytes);
}

}  // namespace grapnel::engine
