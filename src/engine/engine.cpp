#include "engine/engine.h"

#include <fcntl.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "engine/file_reader.h"
#include "engine/guard.h"
#include "engine/local_query.h"
#include "engine/prepare.h"

namespace grapnel::engine {
namespace {

class Engine : public wire::Executor {
 public:
  explicit Engine(source::OpenOptions where, UniqueFd root = UniqueFd())
      : root_(std::move(root)), where_(std::move(where)) {}

  Result<std::unique_ptr<wire::RunningQuery>> execute(
      std::string_view sql, const wire::ExecuteOptions& options) override {
    return guarded([&] { return start(sql, options); });
  }
  Result<std::unique_ptr<source::FileStream>> read_file(
      const source::FileRequest& request) override {
    return guarded([&] { return engine::read_file(request, where_); });
  }

 private:
  Result<std::unique_ptr<wire::RunningQuery>> start(std::string_view sql,
                                                    const wire::ExecuteOptions& options) const {
    GRAPNEL_TRY(auto described, open_described(sql, where_));
    if (described) return make_describe_query(std::move(*described));

    GRAPNEL_TRY(auto made, prepare(sql, options, where_));
    auto prepared = std::make_shared<const Prepared>(std::move(made));
    const bool runs = prepared->kind == sql::StatementKind::query ||
                      prepared->kind == sql::StatementKind::explain_analyze;
    if (runs && prepared->place && prepared->place->ship) return make_ship_advice(prepared);
    if (prepared->kind != sql::StatementKind::query) return make_explain_query(prepared, options);
    return streams_rows(*prepared) ? make_streaming_query(prepared, options)
                                   : make_table_query(prepared, options);
  }

  UniqueFd root_;  ///< for where_
  source::OpenOptions where_;
};

}  // namespace

std::unique_ptr<wire::Executor> make_engine() {
  return std::make_unique<Engine>(source::OpenOptions{});
}

Result<std::unique_ptr<wire::Executor>> make_rooted_engine(const std::string& root) {
  UniqueFd directory(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return Error::system("cannot open the root directory '" + root + "'", errno,
                         "--root names a directory that this user may search");
  }
  source::OpenOptions where;
  where.directory_fd = directory.get();
  where.beneath = true;
  return std::unique_ptr<wire::Executor>(
      std::make_unique<Engine>(std::move(where), std::move(directory)));
}

std::unique_ptr<wire::Executor> make_shipping_engine(hooks::ship::Server server) {
  source::OpenOptions where;
  where.remote = [server = std::move(server)](
                     const std::string& path) -> Result<std::shared_ptr<source::RemoteFile>> {
    GRAPNEL_TRY(auto file, hooks::ship::ShippedFile::open(server, path));
    return std::shared_ptr<source::RemoteFile>(std::move(file));
  };
  return std::make_unique<Engine>(std::move(where));
}

}  // namespace grapnel::engine
