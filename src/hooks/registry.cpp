#include "hooks/builtin.h"
#include "hooks/hook.h"

namespace grapnel::hooks {

const std::vector<Hook*>& all_hooks() {
  static const std::vector<Hook*> hooks = {
      &read_hook(),       &direct_hook(),
#ifdef GRAPNEL_HAVE_PIPE
      &pipe_hook(),
#endif
#ifdef GRAPNEL_HAVE_PAGECACHE
      &pagecache_hook(),
#endif
#ifdef GRAPNEL_HAVE_SENDFILE
      &sendfile_hook(),
#endif
#ifdef GRAPNEL_HAVE_SYSCALL
      &syscall_hook(),
#endif
#ifdef GRAPNEL_HAVE_BLOCK
      &block_hook(),
#endif
#ifdef GRAPNEL_HAVE_FILEDYNPTR
      &filedynptr_hook(),
#endif
      &mmap_hook(),
  };
  return hooks;
}

const std::vector<Hook*>& hooks_for(const source::Source& source) {
  static const std::vector<Hook*> elsewhere = {&ship_hook()};
  return source.remote ? elsewhere : all_hooks();
}

Hook* find_hook(std::string_view name) {
  if (name == ship_hook().name()) return &ship_hook();
  for (Hook* hook : all_hooks()) {
    if (hook->name() == name) return hook;
  }
  return nullptr;
}

}  // namespace grapnel::hooks
