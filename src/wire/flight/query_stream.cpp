#include "wire/flight/query_stream.h"

#include <arrow/c/bridge.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "wire/flight/errors.h"

namespace grapnel::wire {
namespace {

using arrow::flight::FlightPayload;

constexpr size_t kWaitingBatches = 4;
constexpr std::chrono::milliseconds kCancelPoll{20};
constexpr int kPollsPerProgress = 10;

std::string progress_json(const QueryProgress& progress) {
  return nlohmann::json{{"progress",
                         {{"bytes_done", progress.bytes_done},
                          {"bytes_total", progress.bytes_total},
                          {"seconds", progress.seconds},
                          {"hook", progress.hook}}}}
      .dump();
}

}  // namespace

QueryStream::QueryStream(std::unique_ptr<RunningQuery> query,
                         const arrow::flight::ServerCallContext& call, bool own_client,
                         std::function<void(uint64_t)> done)
    : query_(std::move(query)), call_(call), own_client_(own_client), done_(std::move(done)) {}

QueryStream::~QueryStream() {
  {
    std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  query_->cancel();
  if (producer_.joinable()) producer_.join();
  if (done_) done_(bytes_sent_);
}

arrow::Status QueryStream::open() {
  ArrowSchema c_schema{};
  if (auto status = query_->schema(&c_schema); !status.ok()) {
    return to_arrow(status.error(), own_client_);
  }
  ARROW_ASSIGN_OR_RAISE(schema_, arrow::ImportSchema(&c_schema));
  ARROW_RETURN_NOT_OK(mapper_.AddSchemaFields(*schema_));
  producer_ = std::thread([this] { produce(); });
  return arrow::Status::OK();
}

void QueryStream::produce() {
  arrow::Status outcome;
  for (;;) {
    ArrowArray c_array{};
    auto more = query_->next(&c_array);
    if (!more.ok()) {
      outcome = to_arrow(more.error(), own_client_);
      break;
    }
    if (!*more) break;
    auto batch = arrow::ImportRecordBatch(&c_array, schema_);
    if (!batch.ok()) {
      outcome = batch.status();
      break;
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return abandoned_ || waiting_.size() < kWaitingBatches; });
    if (abandoned_) return;
    waiting_.push_back(std::move(batch).ValueUnsafe());
    changed_.notify_all();
  }
  std::lock_guard lock(mutex_);
  outcome_ = outcome;
  changed_.notify_all();
}

QueryStream::Event QueryStream::wait_for_event() {
  std::unique_lock lock(mutex_);
  for (int polls = 0;; polls++) {
    if (!waiting_.empty()) return Event::batch;
    if (outcome_) return Event::end;
    if (call_.is_cancelled()) return Event::gone;
    if (own_client_ && polls == kPollsPerProgress) return Event::progress;
    changed_.wait_for(lock, kCancelPoll);
  }
}

arrow::Result<FlightPayload> QueryStream::GetSchemaPayload() {
  FlightPayload payload;
  ARROW_RETURN_NOT_OK(arrow::ipc::GetSchemaPayload(
      *schema_, arrow::ipc::IpcWriteOptions::Defaults(), mapper_, &payload.ipc_message));
  return payload;
}

arrow::Result<FlightPayload> QueryStream::batch_payload(const arrow::RecordBatch& batch,
                                                        const std::string& metadata) {
  FlightPayload payload;
  ARROW_RETURN_NOT_OK(arrow::ipc::GetRecordBatchPayload(
      batch, arrow::ipc::IpcWriteOptions::Defaults(), &payload.ipc_message));
  if (!metadata.empty()) payload.app_metadata = arrow::Buffer::FromString(metadata);
  bytes_sent_ += static_cast<uint64_t>(payload.ipc_message.body_length) +
                 static_cast<uint64_t>(payload.ipc_message.metadata->size()) + metadata.size();
  return payload;
}

arrow::Result<FlightPayload> QueryStream::metadata_payload(const std::string& metadata) {
  ARROW_ASSIGN_OR_RAISE(auto empty, arrow::RecordBatch::MakeEmpty(schema_));
  return batch_payload(*empty, metadata);
}

arrow::Result<FlightPayload> QueryStream::Next() {
  switch (wait_for_event()) {
    case Event::progress:
      return metadata_payload(progress_json(query_->progress()));
    case Event::gone:
      query_->cancel();
      return arrow::Status::Cancelled("the client cancelled the query");
    case Event::batch: {
      std::shared_ptr<arrow::RecordBatch> batch;
      {
        std::lock_guard lock(mutex_);
        batch = std::move(waiting_.front());
        waiting_.pop_front();
      }
      changed_.notify_all();
      return batch_payload(*batch, {});
    }
    case Event::end:
      break;
  }
  ARROW_RETURN_NOT_OK(*outcome_);
  if (own_client_ && !statistics_sent_) {
    statistics_sent_ = true;
    return metadata_payload("{\"statistics\":" + query_->statistics_json() + "}");
  }
  return FlightPayload{};  // no message: the end
}

}  // namespace grapnel::wire
