// The edge of the engine: what libraries throw becomes an Error, so that callers (a server's
// threads among them) meet values only.
#pragma once

#include <cerrno>
#include <exception>
#include <new>
#include <string>

#include "base/result.h"

namespace grapnel::engine {

/// `call()`, which returns a Result; exceptions become errors of kind limit or internal.
template <typename Call>
auto guarded(const Call& call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return Error{ErrorKind::limit, "out of memory", "ask for fewer rows or groups", ENOMEM,
                 std::nullopt};
  } catch (const std::exception& unexpected) {
    return Error{ErrorKind::internal, unexpected.what(), "this is a bug in grapnel", 0,
                 std::nullopt};
  }
}

}  // namespace grapnel::engine
