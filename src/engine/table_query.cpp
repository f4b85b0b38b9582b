// Queries whose whole result is in memory before the first row leaves.
#include "engine/arrow_export.h"
#include "engine/explain.h"
#include "engine/guard.h"
#include "engine/local_query.h"
#include "engine/scan_run.h"

namespace grapnel::engine {
namespace {

/// Hands a finished table out in batches.
class TableBatches {
 public:
  explicit TableBatches(finish::FinishedTable table)
      : table_(std::move(table)), builder_(table_.schema) {}
  TableBatches(const TableBatches&) = delete;
  TableBatches& operator=(const TableBatches&) = delete;

  Result<bool> next(ArrowArray* out) {
    if (row_ >= table_.row_count) return false;
    GRAPNEL_TRY(row_, builder_.append_rows(table_, row_));
    builder_.export_batch(out);
    return true;
  }

 private:
  finish::FinishedTable table_;
  BatchBuilder builder_;
  size_t row_ = 0;
};

/// A table of text columns.
finish::FinishedTable text_table(const std::vector<std::string>& names,
                                 std::vector<std::vector<std::string>> columns) {
  finish::FinishedTable table;
  for (const auto& name : names) {
    table.schema.push_back({name, op::Type::of(op::TypeKind::varchar)});
  }
  for (auto& texts : columns) {
    state::RowBatch::RowColumn column;
    column.nulls.assign(texts.size(), 0);
    column.texts = std::move(texts);
    table.row_count = column.texts.size();
    table.columns.push_back(std::move(column));
  }
  return table;
}

class TableQuery : public wire::RunningQuery {
 public:
  TableQuery(std::shared_ptr<const Prepared> prepared, const wire::ExecuteOptions& options)
      : run_(std::move(prepared), options) {}

  Status schema(ArrowSchema* out) override {
    export_schema(run_.prepared().query.schema, out);
    return ok_status();
  }
  Result<bool> next(ArrowArray* out) override {
    return guarded([&]() -> Result<bool> {
      if (!batches_) {
        GRAPNEL_TRY(auto table, run_.run());
        batches_ = std::make_unique<TableBatches>(std::move(table));
      }
      return batches_->next(out);
    });
  }
  void cancel() override { run_.cancel(); }
  wire::QueryProgress progress() const override { return run_.progress(); }
  std::string statistics_json() const override { return run_.statistics().to_json(); }

 private:
  ScanRun run_;
  std::unique_ptr<TableBatches> batches_;
};

class ExplainQuery : public wire::RunningQuery {
 public:
  ExplainQuery(std::shared_ptr<const Prepared> prepared, const wire::ExecuteOptions& options)
      : run_(std::move(prepared), options) {}

  Status schema(ArrowSchema* out) override {
    export_schema({{"plan", op::Type::of(op::TypeKind::varchar)}}, out);
    return ok_status();
  }
  Result<bool> next(ArrowArray* out) override {
    return guarded([&]() -> Result<bool> {
      if (!batches_) {
        GRAPNEL_TRY(auto lines, plan_lines());
        batches_ = std::make_unique<TableBatches>(text_table({"plan"}, {std::move(lines)}));
      }
      return batches_->next(out);
    });
  }
  void cancel() override { run_.cancel(); }
  wire::QueryProgress progress() const override { return run_.progress(); }
  std::string statistics_json() const override { return run_.statistics().to_json(); }

 private:
  Result<std::vector<std::string>> plan_lines() {
    if (run_.prepared().kind == sql::StatementKind::explain_json) {
      return std::vector<std::string>{explain_json(run_.prepared())};
    }
    if (run_.prepared().kind != sql::StatementKind::explain_analyze) {
      return explain(run_.prepared(), nullptr);
    }
    GRAPNEL_TRY([[maybe_unused]] const auto answer, run_.run());
    auto measured = run_.statistics();
    measured.table.clear();  // the plan has it
    return explain(run_.prepared(), &measured);
  }

  ScanRun run_;
  std::unique_ptr<TableBatches> batches_;
};

class ShipAdvice : public wire::RunningQuery {
 public:
  explicit ShipAdvice(std::shared_ptr<const Prepared> prepared) : prepared_(std::move(prepared)) {}

  Status schema(ArrowSchema* out) override {
    export_schema(prepared_->query.schema, out);
    return ok_status();
  }
  std::string rather_ship() const override { return prepared_->place->why; }
  Result<bool> next(ArrowArray*) override { return false; }
  void cancel() override {}  // nothing runs
  wire::QueryProgress progress() const override { return {}; }
  std::string statistics_json() const override { return "{}"; }

 private:
  std::shared_ptr<const Prepared> prepared_;
};

class DescribeQuery : public wire::RunningQuery {
 public:
  explicit DescribeQuery(std::shared_ptr<const source::Source> source)
      : source_(std::move(source)), table_(describe_columns(*source_)), batches_(table_) {}

  Status schema(ArrowSchema* out) override {
    export_schema(table_.schema, out);
    return ok_status();
  }
  Result<bool> next(ArrowArray* out) override {
    return guarded([&] { return batches_.next(out); });
  }
  void cancel() override {}  // nothing runs
  wire::QueryProgress progress() const override { return {}; }
  std::string statistics_json() const override {
    api::Statistics statistics;
    statistics.table = source::table_expression(*source_);
    return statistics.to_json();
  }

 private:
  static finish::FinishedTable describe_columns(const source::Source& source) {
    std::vector<std::string> names;
    std::vector<std::string> types;
    for (const auto& column : source.layout.columns) {
      names.push_back(column.name);
      types.push_back(column.type.to_string());
    }
    return text_table({"column_name", "column_type"}, {std::move(names), std::move(types)});
  }

  std::shared_ptr<const source::Source> source_;
  finish::FinishedTable table_;
  TableBatches batches_;
};

}  // namespace

std::unique_ptr<wire::RunningQuery> make_table_query(std::shared_ptr<const Prepared> prepared,
                                                     const wire::ExecuteOptions& options) {
  return std::make_unique<TableQuery>(std::move(prepared), options);
}

std::unique_ptr<wire::RunningQuery> make_explain_query(std::shared_ptr<const Prepared> prepared,
                                                       const wire::ExecuteOptions& options) {
  return std::make_unique<ExplainQuery>(std::move(prepared), options);
}

std::unique_ptr<wire::RunningQuery> make_ship_advice(std::shared_ptr<const Prepared> prepared) {
  return std::make_unique<ShipAdvice>(std::move(prepared));
}

std::unique_ptr<wire::RunningQuery> make_describe_query(
    std::shared_ptr<const source::Source> source) {
  return std::make_unique<DescribeQuery>(std::move(source));
}

}  // namespace grapnel::engine
