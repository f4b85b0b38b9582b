#include "wire/plugin.h"

#include <cstring>
#include <exception>

#include "wire/flight/client.h"
#include "wire/flight/server.h"

namespace grapnel::wire {
namespace {

// gRPC and the standard library may throw; nothing does so over the plugin's edge.
template <typename Function>
auto without_exceptions(Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::exception& error) {
    return Error{ErrorKind::internal, std::string("network plugin: ") + error.what(), {}, 0, {}};
  }
}

class FlightPlugin : public Plugin {
 public:
  Result<std::unique_ptr<Executor>> connect(const std::string& host, uint16_t port) override {
    return without_exceptions([&] { return connect_flight(host, port); });
  }
  Result<std::unique_ptr<Server>> serve(Executor& executor, const ServerOptions& options) override {
    return without_exceptions([&] { return make_flight_server(executor, options); });
  }
};

}  // namespace
}  // namespace grapnel::wire

extern "C" __attribute__((visibility("default"))) grapnel::wire::Plugin* grapnel_flight_plugin(
    const char* version) {
  static grapnel::wire::FlightPlugin plugin;
  return std::strcmp(version, grapnel::wire::kPluginVersion) == 0 ? &plugin : nullptr;
}
