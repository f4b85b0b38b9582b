#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "wire/plugin.h"

namespace grapnel::wire {
namespace {

constexpr char kLibrary[] = "libgrapnel-flight.so";

Result<Plugin*> open_plugin() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  const std::array candidates{program / kLibrary, program / ".." / "lib" / "grapnel" / kLibrary};
  // gRPC writes its own lines to stderr on ordinary connection errors; ours say more.
  ::setenv("GRPC_VERBOSITY", "NONE", /*replace=*/0);
  std::string tried;
  for (const auto& path : candidates) {
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
      tried += "\n  " + std::string(::dlerror());
      continue;
    }
    auto entry = reinterpret_cast<PluginEntry>(::dlsym(library, kPluginEntry));
    Plugin* plugin = entry == nullptr ? nullptr : entry(kPluginVersion);
    if (plugin != nullptr) return plugin;
    tried += "\n  " + path.string() + ": of another version than this program";
  }
  return Error{ErrorKind::network,
               "cannot load the network plugin:" + tried,
               "server and --on need libgrapnel-flight.so beside the program or in ../lib/grapnel; "
               "local queries work without it",
               0,
               {}};
}

}  // namespace

Result<Plugin*> load_plugin() {
  static std::mutex mutex;
  static Plugin* loaded = nullptr;
  std::lock_guard lock(mutex);
  if (loaded != nullptr) return loaded;
  auto plugin = open_plugin();
  if (plugin.ok()) loaded = *plugin;
  return plugin;
}

}  // namespace grapnel::wire
