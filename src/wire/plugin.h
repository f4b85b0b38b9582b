// What libgrapnel-flight.so offers. It is opened on use, so that a program which needs no network
// does not load Arrow and gRPC.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "wire/executor.h"

namespace grapnel::wire {

struct ServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 31337;     ///< 0: any free port
  unsigned max_queries = 0;  ///< running at once; more are refused with a clear error
  unsigned max_files = 0;    ///< raw files given at once; the same
};

class Server {
 public:
  virtual ~Server() = default;
  [[nodiscard]] virtual uint16_t port() const = 0;
  /// Blocks until shutdown(). Signals are the program's business.
  virtual Status wait() = 0;
  /// Stops taking calls, gives running ones until the deadline, then cancels them. Any thread.
  virtual Status shutdown(uint32_t deadline_ms) = 0;
};

class Plugin {
 public:
  virtual ~Plugin() = default;
  /// A connection to a server. Lazy where the transport is: a wrong address may show at the first
  /// query. Errors: network.
  virtual Result<std::unique_ptr<Executor>> connect(const std::string& host, uint16_t port) = 0;
  /// Listens and serves `executor`, which must outlive the server. Errors: network (address in
  /// use).
  virtual Result<std::unique_ptr<Server>> serve(Executor& executor,
                                                const ServerOptions& options) = 0;
};

/// Opens the plugin that lies beside the program (or in ../lib/grapnel), once per process. Errors:
/// internal-kind with the path that was tried and what to install.
Result<Plugin*> load_plugin();

/// The plugin's entry point, and the text that both sides must agree on.
inline constexpr char kPluginEntry[] = "grapnel_flight_plugin";
inline constexpr char kPluginVersion[] = "grapnel-flight 3";
using PluginEntry = Plugin* (*)(const char* version);

}  // namespace grapnel::wire
