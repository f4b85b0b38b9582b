// Loads a compiled x86-64 object into this process: the small part of a linker that our own objects
// need. No LLVM.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace grapnel::lower::native {

/// Executable memory with one object's sections; unmapped with the last owner.
class LoadedObject {
 public:
  /// `bytes`: relocatable ELF made with PIC and the small code model. Nothing outside of the object
  /// may be referenced. The bytes need not outlive the call. Errors: internal, for anything that
  /// does not look like one of our objects (every offset is checked), io if there is no memory.
  static Result<std::shared_ptr<const LoadedObject>> load(std::string_view bytes,
                                                          std::string_view entry);
  LoadedObject(const LoadedObject&) = delete;
  LoadedObject& operator=(const LoadedObject&) = delete;
  ~LoadedObject();

  [[nodiscard]] const void* entry() const { return entry_; }

 private:
  LoadedObject(char* memory, size_t size) : memory_(memory), size_(size) {}
  char* memory_;
  size_t size_;
  const void* entry_ = nullptr;
};

}  // namespace grapnel::lower::native
