#include "finish/sort.h"

#include <algorithm>

namespace grapnel::finish {

namespace {

/// The values of one sort key for all rows; borrowed where the key is a result as it stands.
struct SortColumn {
  const RowColumn* values = nullptr;
  RowColumn owned;
  op::Type type;
  bool descending = false;
  bool nulls_first = false;

  /// Negative, 0, positive.
  [[nodiscard]] int compare(size_t a, size_t b) const {
    const bool a_is_null = values->nulls[a] != 0;
    const bool b_is_null = values->nulls[b] != 0;
    if (a_is_null || b_is_null) {
      const int nulls_last = static_cast<int>(a_is_null) - static_cast<int>(b_is_null);
      return nulls_first ? -nulls_last : nulls_last;
    }
    const int order = op::compare(values->value(a, type), values->value(b, type), type);
    return descending ? -order : order;
  }
};

}  // namespace

uint64_t rows_wanted(const op::Finish& finish) {
  uint64_t wanted = 0;
  if (!finish.limit || __builtin_add_overflow(*finish.limit, finish.offset, &wanted))
    return UINT64_MAX;
  return wanted;
}

Status sort_rows(const op::Finish& finish, const Results& results, std::vector<size_t>& rows) {
  if (finish.order_by.empty()) return ok_status();
  std::vector<SortColumn> keys(finish.order_by.size());
  for (size_t i = 0; i < keys.size(); i++) {
    const op::SortKey& wanted = finish.order_by[i];
    SortColumn& key = keys[i];
    key.type = wanted.expression->type;
    key.descending = wanted.descending;
    key.nulls_first = wanted.nulls_first;
    if (wanted.expression->function == op::Function::result) {
      key.values = &results.columns[wanted.expression->index];
    } else {
      GRAPNEL_TRY(key.owned, evaluate_for(*wanted.expression, results, rows, Places::own));
      key.values = &key.owned;
    }
  }
  const auto comes_before = [&keys](size_t a, size_t b) {
    for (const SortColumn& key : keys) {
      if (const int order = key.compare(a, b); order != 0) return order < 0;
    }
    return a < b;  // ties in file order
  };
  const size_t wanted = std::min<uint64_t>(rows_wanted(finish), rows.size());
  if (wanted == rows.size()) {
    std::sort(rows.begin(), rows.end(), comes_before);
  } else {
    std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(wanted), rows.end(),
                      comes_before);
  }
  return ok_status();
}

}  // namespace grapnel::finish
