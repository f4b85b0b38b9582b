// For tests: small results as finished tables and as Arrow batches.
#pragma once

#include <gtest/gtest.h>

#include "engine/arrow_export.h"

namespace grapnel::test {

inline finish::FinishedTable make_table(const std::vector<op::OutputColumn>& columns,
                                        const std::vector<std::vector<op::Datum>>& rows) {
  finish::FinishedTable table;
  table.schema = columns;
  table.columns.resize(columns.size());
  table.row_count = rows.size();
  for (const auto& row : rows) {
    for (size_t i = 0; i < columns.size(); i++) table.columns[i].append(row[i], columns[i].type);
  }
  return table;
}

/// All rows in one batch, which the caller releases.
inline ArrowArray make_batch(const std::vector<op::OutputColumn>& columns,
                             const std::vector<std::vector<op::Datum>>& rows) {
  engine::BatchBuilder builder(columns);
  const auto table = make_table(columns, rows);
  const auto taken = builder.append_rows(table, 0);
  EXPECT_TRUE(taken.ok());
  EXPECT_EQ(builder.rows(), rows.size());
  ArrowArray batch;
  builder.export_batch(&batch);
  return batch;
}

}  // namespace grapnel::test
