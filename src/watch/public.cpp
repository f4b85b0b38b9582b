// api::Watch: the public face of Watcher.
#include <cerrno>
#include <exception>
#include <new>
#include <utility>

#include "api/error.h"
#include "engine/arrow_export.h"
#include "engine/guard.h"
#include "grapnel/watch.h"
#include "watch/watcher.h"

namespace grapnel::api {
namespace {

/// What stands behind an exported ArrowArrayStream.
struct AnswerStream {
  std::shared_ptr<const finish::FinishedTable> table;
  engine::BatchBuilder builder;
  size_t row = 0;
  std::string error;

  explicit AnswerStream(std::shared_ptr<const finish::FinishedTable> from)
      : table(std::move(from)), builder(table->schema) {}
};

AnswerStream& answer_of(ArrowArrayStream* stream) {
  return *static_cast<AnswerStream*>(stream->private_data);
}

int answer_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  engine::export_schema(answer_of(stream).table->schema, out);
  return 0;
}

int answer_next(ArrowArrayStream* stream, ArrowArray* out) {
  AnswerStream& answer = answer_of(stream);
  out->release = nullptr;  // the interface's sign of the end
  if (answer.row >= answer.table->row_count) return 0;
  const auto row =
      engine::guarded([&] { return answer.builder.append_rows(*answer.table, answer.row); });
  if (!row.ok()) {
    answer.error = row.error().to_string();
    return EIO;
  }
  answer.row = *row;
  answer.builder.export_batch(out);
  return 0;
}

const char* answer_error(ArrowArrayStream* stream) {
  const AnswerStream& answer = answer_of(stream);
  return answer.error.empty() ? nullptr : answer.error.c_str();
}

void answer_release(ArrowArrayStream* stream) {
  delete static_cast<AnswerStream*>(stream->private_data);
  stream->release = nullptr;
}

std::vector<ByteRange> to_public(const std::vector<grapnel::watch::Range>& ranges) {
  std::vector<ByteRange> same;
  same.reserve(ranges.size());
  for (const auto& range : ranges) same.push_back({range.begin, range.end});
  return same;
}

}  // namespace

struct Watch::State {
  std::unique_ptr<grapnel::watch::Watcher> watcher;
};

Watch::Watch(std::unique_ptr<State> state) : state_(std::move(state)) {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;

Result<Watch> Watch::open(const std::vector<std::string>& statements, const WatchOptions& options) {
  auto watcher =
      engine::guarded([&] { return grapnel::watch::Watcher::open(statements, options); });
  if (!watcher.ok()) return to_public(watcher.error());
  auto state = std::make_unique<State>();
  state->watcher = *std::move(watcher);
  return Watch(std::move(state));
}

Result<std::monostate> Watch::run(const CancelToken* cancel, const std::function<void()>& on_tick) {
  const CancelToken never;
  const std::atomic<bool>& cancelled = (cancel != nullptr ? *cancel : never).flag();
  const auto status = engine::guarded([&] { return state_->watcher->run(cancelled, on_tick); });
  if (!status.ok()) return to_public(status.error());
  return std::monostate{};
}

WatchState Watch::state() const { return state_->watcher->state(); }

std::vector<WatchReader> Watch::readers(size_t statement) const {
  return state_->watcher->readers(statement);
}

Result<std::monostate> Watch::answer(size_t statement, ArrowArrayStream* out) const {
  auto table = engine::guarded([&] { return state_->watcher->answer(statement); });
  if (!table.ok()) return to_public(table.error());
  out->get_schema = answer_schema;
  out->get_next = answer_next;
  out->get_last_error = answer_error;
  out->release = answer_release;
  out->private_data = new AnswerStream(*std::move(table));
  return std::monostate{};
}

std::vector<ByteRange> Watch::covered(size_t statement) const {
  return to_public(state_->watcher->query(statement).assembler().covered());
}

std::vector<ByteRange> Watch::counted(size_t statement) const {
  return to_public(state_->watcher->query(statement).assembler().counted());
}

}  // namespace grapnel::api
