// A running query as a Flight stream.
#pragma once

#include <arrow/flight/server.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "wire/executor.h"

namespace grapnel::wire {

/// Runs the query in a thread of its own, so that the RPC thread can watch for a client that
/// cancels or vanishes: it looks every 20 ms, and then the query is cancelled. Hands out batches as
/// they come (a few wait at most: a slow client slows the query down, memory stays bounded).
///
/// For grapnel's own client it adds, as application metadata of empty batches, {"progress": {...}}
/// about five times a second and {"statistics": {...}} at the end. Other clients do not get these.
class QueryStream : public arrow::flight::FlightDataStream {
 public:
  /// `done` is called once, when the stream ends in whatever way, with the bytes sent.
  QueryStream(std::unique_ptr<RunningQuery> query, const arrow::flight::ServerCallContext& call,
              bool own_client, std::function<void(uint64_t bytes_sent)> done);
  ~QueryStream() override;

  /// Fetches the schema; must succeed before the stream is handed to Flight.
  arrow::Status open();

  std::shared_ptr<arrow::Schema> schema() override { return schema_; }
  arrow::Result<arrow::flight::FlightPayload> GetSchemaPayload() override;
  arrow::Result<arrow::flight::FlightPayload> Next() override;

 private:
  void produce();
  enum class Event { batch, progress, end, gone };
  Event wait_for_event();
  arrow::Result<arrow::flight::FlightPayload> batch_payload(const arrow::RecordBatch& batch,
                                                            const std::string& metadata);
  arrow::Result<arrow::flight::FlightPayload> metadata_payload(const std::string& metadata);

  std::unique_ptr<RunningQuery> query_;
  const arrow::flight::ServerCallContext& call_;
  const bool own_client_;
  std::function<void(uint64_t)> done_;
  std::shared_ptr<arrow::Schema> schema_;
  arrow::ipc::DictionaryFieldMapper mapper_;
  uint64_t bytes_sent_ = 0;
  bool statistics_sent_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<arrow::RecordBatch>> waiting_;
  std::optional<arrow::Status> outcome_;  ///< set when the query has ended
  bool abandoned_ = false;                ///< nobody takes batches any more
  std::thread producer_;
};

}  // namespace grapnel::wire
