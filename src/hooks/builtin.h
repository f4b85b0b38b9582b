// The hooks that are compiled in; each lives in its own folder. all_hooks() (hook.h) lists them.
#pragma once

#include "hooks/hook.h"

namespace grapnel::hooks {

/// One object for the whole process each, made on the first call. Thread-safe.
Hook& read_hook();
Hook& mmap_hook();
Hook& direct_hook();
/// For files of another machine, and no others: not in all_hooks().
Hook& ship_hook();
/// Only where GRAPNEL_HAVE_<NAME> is defined:
Hook& pipe_hook();
Hook& pagecache_hook();
Hook& sendfile_hook();
Hook& syscall_hook();
Hook& block_hook();
Hook& filedynptr_hook();

}  // namespace grapnel::hooks
