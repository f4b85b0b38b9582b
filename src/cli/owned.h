// Structures of the Arrow C interface (ArrowSchema, ArrowArray, ArrowArrayStream), released at the
// end of a scope.
#pragma once

namespace grapnel::cli {

template <typename Structure>
struct Owned : Structure {
  Owned() : Structure{} {}
  ~Owned() {
    if (this->release != nullptr) this->release(this);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
};

}  // namespace grapnel::cli
