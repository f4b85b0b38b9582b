#include "api/address.h"
#include "api/error.h"
#include "engine/engine.h"
#include "grapnel/grapnel.h"
#include "wire/plugin.h"

namespace grapnel::api {
namespace {

/// How long queries that run may go on once the server is told to stop.
constexpr uint32_t kDrainDeadline_ms = 500;

}  // namespace

struct Server::State {
  Address address;
  std::unique_ptr<wire::Executor> engine;  ///< before the server, which uses it
  std::unique_ptr<wire::Server> server;

  ~State() { stop(); }
  void stop() {
    if (!server) return;
    // The outcome has no taker: the server is gone either way.
    [[maybe_unused]] const auto status = server->shutdown(kDrainDeadline_ms);
    server.reset();
  }
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::start(const ServeOptions& options) {
  auto address = parse_address(options.listen);
  if (!address.ok()) return to_public(address.error());
  if (!address->is_loopback() && !options.insecure) {
    return Error{ErrorKind::usage,
                 "refusing to listen on " + options.listen +
                     ": others can reach that address, and there is no encryption and no password",
                 "listen on 127.0.0.1 and tunnel (ssh -L), or say --insecure if the network is "
                 "yours alone",
                 0, std::nullopt};
  }
  auto engine = engine::make_rooted_engine(options.root);
  if (!engine.ok()) return to_public(engine.error());
  auto plugin = wire::load_plugin();
  if (!plugin.ok()) return to_public(plugin.error());

  auto state = std::make_unique<State>();
  state->address = *address;
  state->engine = *std::move(engine);
  wire::ServerOptions server_options;
  server_options.host = address->host;
  server_options.port = address->port;
  server_options.max_queries = options.max_queries;
  server_options.max_files = options.max_files;
  auto server = (*plugin)->serve(*state->engine, server_options);
  if (!server.ok()) return to_public(server.error());
  state->server = *std::move(server);
  state->address.port = state->server->port();
  return Server(std::move(state));
}

std::string Server::address() const { return state_->address.to_string(); }

void Server::stop() { state_->stop(); }

}  // namespace grapnel::api
