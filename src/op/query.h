// A bound query: what is done for each record (Op), and what is done with the merged result
// (Finish).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "op/expr.h"

namespace grapnel::op {

/// The partial aggregates. avg(x) is bound to sum(x) and count(x) plus Function::average in Finish;
/// equal states are kept once.
enum class AggregateKind : uint8_t {
  count_rows,  ///< count(*): BIGINT
  count,       ///< count(x), non-null values: BIGINT
  sum,         ///< integers -> HUGEINT, DECIMAL(p,s) -> DECIMAL(38,s), DOUBLE -> DOUBLE (exact)
  min,
  max,
};

struct Aggregate {
  AggregateKind kind = AggregateKind::count_rows;
  ExprPtr argument;  ///< none for count_rows
  Type type;         ///< of the finished value
};

/// What runs next to the data, once per record.
struct Op {
  /// All must be true for a record to count. Order is free (see the rules in expr.h).
  std::vector<ExprPtr> filter;
  /// Aggregating query: one partial state per distinct key tuple (one in all if there are no keys).
  bool aggregating = false;
  std::vector<ExprPtr> keys;
  std::vector<Aggregate> aggregates;
  /// Row query: one output row per record that passes.
  std::vector<ExprPtr> outputs;

  /// Columns that are read at all, ascending.
  [[nodiscard]] std::vector<uint32_t> needed_columns() const;
};

struct SortKey {
  ExprPtr expression;  ///< over Function::result
  bool descending = false;
  bool nulls_first = false;
};

/// What happens after the merge. Expressions see Function::result: index into keys ++ aggregates of
/// an aggregating query, or into Op::outputs of a row query.
struct Finish {
  ExprPtr having;                ///< or none
  std::vector<ExprPtr> outputs;  ///< the result's columns, in order
  std::vector<SortKey> order_by;
  std::optional<uint64_t> limit;
  uint64_t offset = 0;
};

struct OutputColumn {
  std::string name;
  Type type;
};

struct Query {
  Op op;
  Finish finish;
  std::vector<OutputColumn> schema;  ///< fixed at bind
};

}  // namespace grapnel::op
