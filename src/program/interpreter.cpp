#include "program/interpreter.h"

#include "source/locate.h"

namespace grapnel::program {

RecordRunner::RecordRunner(std::shared_ptr<const Job> job)
    : job_(std::move(job)), reader_(*job_->source) {}

Status RecordRunner::add_group(uint64_t file_offset, state::Partial& partial) {
  const op::Op& op = *job_->op;
  key_.clear();
  for (const op::ExprPtr& expr : op.keys) {
    GRAPNEL_TRY(const op::Datum value, op::evaluate(*expr, reader_));
    state::encode_key(key_, value, expr->type);
  }
  uint64_t* slots = partial.groups.find_or_insert(key_);
  if (slots == nullptr) return partial.groups.limit_error();
  state::Partial::touch(slots, file_offset);
  for (size_t i = 0; i < op.aggregates.size(); i++) {
    const op::ExprPtr& argument = op.aggregates[i].argument;
    if (!argument) continue;
    GRAPNEL_TRY(const op::Datum value, op::evaluate(*argument, reader_));
    partial.update(slots, i, value);
  }
  return ok_status();
}

Status RecordRunner::add_row(uint64_t file_offset, state::Partial& partial) {
  const std::vector<op::ExprPtr>& outputs = job_->op->outputs;
  values_.clear();
  for (const op::ExprPtr& expr : outputs) {
    GRAPNEL_TRY(const op::Datum value, op::evaluate(*expr, reader_));
    values_.push_back(value);
  }
  partial.rows.append(file_offset, values_, outputs);
  return ok_status();
}

Status RecordRunner::run_unlocated(uint64_t file_offset, state::Partial& partial) {
  GRAPNEL_CHECK(reader_.check());
  GRAPNEL_TRY(const bool passes, op::passes(job_->op->filter, reader_));
  if (!passes) return ok_status();
  return job_->op->aggregating ? add_group(file_offset, partial) : add_row(file_offset, partial);
}

Status RecordRunner::run(std::string_view record, uint64_t file_offset, state::Partial& partial) {
  reader_.set_record(record, file_offset);
  if (reader_.is_blank()) return ok_status();
  partial.records++;
  Status status = run_unlocated(file_offset, partial);
  // The reader's errors say where they arose; those of expressions know only the place in the SQL.
  if (!status.ok() && status.error().sql_offset) {
    Error& error = status.error();
    error.message = source::place(*job_->source, file_offset) + ": " + error.message;
  }
  return status;
}

namespace {

class InterpretingRunner : public Runner {
 public:
  explicit InterpretingRunner(const std::shared_ptr<const Job>& job)
      : layout_(job->source->layout), records_(job) {}

  Result<BlockOutcome> run(const Block& block, state::Partial& partial) override {
    BlockOutcome outcome;
    const std::string_view data(block.data, block.size);
    const uint64_t records_before = partial.records;
    while (outcome.consumed < data.size()) {
      const auto end = source::next_record(layout_, data.substr(outcome.consumed), block.last);
      if (!end) break;
      GRAPNEL_CHECK(records_.run(data.substr(outcome.consumed, end->content_size),
                                 block.file_offset + outcome.consumed, partial));
      outcome.consumed += end->consumed;
    }
    outcome.records = partial.records - records_before;
    GRAPNEL_CHECK(partial.check_memory());
    return outcome;
  }

 private:
  const source::Layout& layout_;  // the job, which records_ holds, keeps it alive
  RecordRunner records_;
};

class Interpreter : public Program {
 public:
  explicit Interpreter(std::shared_ptr<const Job> job) : job_(std::move(job)) {}
  [[nodiscard]] std::unique_ptr<Runner> make_runner() const override {
    return std::make_unique<InterpretingRunner>(job_);
  }
  [[nodiscard]] std::string name() const override { return "interpreter"; }

 private:
  std::shared_ptr<const Job> job_;
};

}  // namespace

std::shared_ptr<const Program> make_interpreter(std::shared_ptr<const Job> job) {
  return std::make_shared<Interpreter>(std::move(job));
}

}  // namespace grapnel::program
