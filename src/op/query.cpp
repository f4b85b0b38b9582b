#include "op/query.h"

#include <algorithm>

namespace grapnel::op {

std::vector<uint32_t> Op::needed_columns() const {
  std::vector<uint32_t> columns;
  for (const ExprPtr& expr : filter) collect_columns(*expr, columns);
  for (const ExprPtr& expr : keys) collect_columns(*expr, columns);
  for (const ExprPtr& expr : outputs) collect_columns(*expr, columns);
  for (const Aggregate& aggregate : aggregates) {
    if (aggregate.argument) collect_columns(*aggregate.argument, columns);
  }
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

}  // namespace grapnel::op
