#include "lower/plugin/client.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <vector>

#include "generator_fingerprint.h"

namespace grapnel::lower::plugin {
namespace {

constexpr const char* kLibrary = "libgrapnel-jit.so";

std::vector<std::filesystem::path> places() {
  std::vector<std::filesystem::path> result;
  if (const char* directory = ::secure_getenv("GRAPNEL_PLUGIN_DIR"))
    result.push_back(std::filesystem::path(directory) / kLibrary);
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  if (ignored) return result;
  result.push_back(program / kLibrary);
  result.push_back(program / ".." / "lib" / "grapnel" / kLibrary);
  result.push_back(program / ".." / kLibrary);  // build tree: tests lie in bin/
  return result;
}

template <typename Function>
Function find(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));
}

Error missing(const std::string& tried) {
  return {ErrorKind::hook, "the compiler " + std::string(kLibrary) + " is missing:" + tried,
          "install it beside the program; without it queries run on the interpreter"};
}

Result<Compiler> open_once() {
  std::string tried;
  for (const auto& path : places()) {
    // Not closed again: LLVM has static state.
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
      tried += "\n  " + std::string(::dlerror());
      continue;
    }
    const auto version = find<decltype(&grapnel_jit_version)>(library, "grapnel_jit_version");
    const auto generator = find<decltype(&grapnel_jit_generator)>(library, "grapnel_jit_generator");
    const auto llvm =
        find<decltype(&grapnel_jit_llvm_version)>(library, "grapnel_jit_llvm_version");
    Compiler compiler{find<decltype(&grapnel_jit_compile)>(library, "grapnel_jit_compile"),
                      find<decltype(&grapnel_jit_free)>(library, "grapnel_jit_free"),
                      llvm == nullptr ? "" : llvm()};
    if (version != nullptr && version() == GRAPNEL_JIT_VERSION && generator != nullptr &&
        std::strcmp(generator(), GRAPNEL_GENERATOR_FINGERPRINT) == 0 &&
        compiler.compile != nullptr && compiler.free_result != nullptr)
      return compiler;
    tried += "\n  " + path.string() + ": of another build than this program";
  }
  return missing(tried);
}

}  // namespace

Status find_compiler() {
  std::string tried;
  for (const auto& path : places()) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return ok_status();
    tried += "\n  " + path.string();
  }
  return missing(tried);
}

Result<const Compiler*> open_compiler() {
  static std::mutex mutex;
  static const Compiler* opened = nullptr;
  const std::lock_guard lock(mutex);
  if (opened != nullptr) return opened;
  auto compiler = open_once();
  if (!compiler) return std::move(compiler).error();
  opened = new Compiler(*compiler);  // lives as long as the library, which is for ever
  return opened;
}

}  // namespace grapnel::lower::plugin
