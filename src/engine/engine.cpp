#include "engine/engine.h"

#include <fcntl.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "engine/guard.h"
#include "engine/local_query.h"
#include "engine/prepare.h"

namespace grapnel::engine {
namespace {

class Engine : public wire::Executor {
 public:
  explicit Engine(UniqueFd root) : root_(std::move(root)) {}

  Result<std::unique_ptr<wire::RunningQuery>> execute(
      std::string_view sql, const wire::ExecuteOptions& options) override {
    return guarded([&] { return start(sql, options); });
  }

 private:
  Result<std::unique_ptr<wire::RunningQuery>> start(std::string_view sql,
                                                    const wire::ExecuteOptions& options) const {
    source::OpenOptions where;
    where.directory_fd = root_.get();
    where.beneath = root_.valid();
    GRAPNEL_TRY(auto described, open_described(sql, where));
    if (described) return make_describe_query(std::move(*described));

    GRAPNEL_TRY(auto made, prepare(sql, options, where));
    auto prepared = std::make_shared<const Prepared>(std::move(made));
    if (prepared->kind != sql::StatementKind::query) return make_explain_query(prepared, options);
    const bool streams = !prepared->query.op.aggregating && prepared->query.finish.order_by.empty();
    return streams ? make_streaming_query(prepared, options) : make_table_query(prepared, options);
  }

  UniqueFd root_;  ///< none: no confinement
};

}  // namespace

std::unique_ptr<wire::Executor> make_engine() { return std::make_unique<Engine>(UniqueFd()); }

Result<std::unique_ptr<wire::Executor>> make_rooted_engine(const std::string& root) {
  UniqueFd directory(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return Error::system("cannot open the root directory '" + root + "'", errno,
                         "--root names a directory that this user may search");
  }
  return std::unique_ptr<wire::Executor>(std::make_unique<Engine>(std::move(directory)));
}

}  // namespace grapnel::engine
