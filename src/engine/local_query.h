// The three ways in which a statement's result comes about in this process.
#pragma once

#include <memory>

#include "engine/prepare.h"
#include "wire/executor.h"

namespace grapnel::engine {

/// Aggregates, and rows that must be sorted: the first next() runs everything, then batches follow
/// from memory.
std::unique_ptr<wire::RunningQuery> make_table_query(std::shared_ptr<const Prepared> prepared,
                                                     const wire::ExecuteOptions& options);

/// Rows in file order: they leave while the scan still runs, which waits for a slow taker.
std::unique_ptr<wire::RunningQuery> make_streaming_query(
    const std::shared_ptr<const Prepared>& prepared, const wire::ExecuteOptions& options);

/// EXPLAIN and EXPLAIN ANALYZE: one text column, `plan`.
std::unique_ptr<wire::RunningQuery> make_explain_query(std::shared_ptr<const Prepared> prepared,
                                                       const wire::ExecuteOptions& options);

/// Computes nothing: Place::ship was chosen for it.
std::unique_ptr<wire::RunningQuery> make_ship_advice(std::shared_ptr<const Prepared> prepared);

/// DESCRIBE: column_name, column_type.
std::unique_ptr<wire::RunningQuery> make_describe_query(
    std::shared_ptr<const source::Source> source);

}  // namespace grapnel::engine
