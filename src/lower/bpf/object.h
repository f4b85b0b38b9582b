// A BPF object in the kernel: loaded programs, mapped maps. What it holds goes away with it, or
// with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

struct bpf_link;
struct bpf_object;

namespace grapnel::lower::bpf {

/// Memory of an array map, shared with the kernel.
class MapMemory {
 public:
  MapMemory() = default;
  MapMemory(MapMemory&& other) noexcept;
  MapMemory& operator=(MapMemory&& other) noexcept;
  MapMemory(const MapMemory&) = delete;
  MapMemory& operator=(const MapMemory&) = delete;
  ~MapMemory();

  [[nodiscard]] bool valid() const { return data_ != nullptr; }
  /// Element `index` of a map of T.
  template <typename T>
  [[nodiscard]] T& element(uint32_t index) const {
    static_assert(sizeof(T) % 8 == 0, "the kernel rounds elements up to 8 bytes");
    return static_cast<T*>(data_)[index];
  }

 private:
  friend class Object;
  void* data_ = nullptr;
  size_t size_ = 0;
};

/// How to load an object.
struct LoadOptions {
  std::string name;      ///< shown by bpftool
  std::string btf_path;  ///< type information to relocate against (KernelBtf); empty: the kernel's
  uint32_t map_elements = 1;  ///< of each map; 0: as the object says
  /// Of single maps, whatever `map_elements` says. A ring's are bytes.
  std::vector<std::pair<std::string, uint32_t>> map_sizes;
  std::vector<std::string> left_out_maps;  ///< not made; the programs do not use them
  std::vector<std::string> programs;       ///< only these are loaded; empty: all
};

/// A program at its place in the kernel. Destroying it takes the program away, as the end of the
/// process does.
class Link {
 public:
  Link() = default;

 private:
  friend class Object;
  struct Detacher {
    void operator()(bpf_link* link) const;
  };
  std::unique_ptr<bpf_link, Detacher> link_;
};

class Object {
 public:
  /// Errors: permission (names the right), hook (the verifier refused it, with the end of its log;
  /// or a helper that this kernel lacks).
  static Result<Object> load(std::string_view elf, const LoadOptions& options);

  /// Descriptor of a program; owned by the object. -1 if there is none of that name.
  [[nodiscard]] int program(const std::string& name) const;
  /// Puts a program where its section says (raw_tp/..., fexit/..., kprobe/...). Errors: hook (with
  /// the kernel's reason), permission.
  [[nodiscard]] Result<Link> attach(const std::string& name) const;
  /// Descriptor of a map; owned by the object. -1 if there is none of that name.
  [[nodiscard]] int map_descriptor(const std::string& name) const;
  /// Instructions that the verifier looked at, for one program; 0 where the kernel does not say.
  [[nodiscard]] uint32_t verified_instructions(const std::string& name) const;
  /// Times that the kernel did not run an attached program because it ran on that CPU already.
  [[nodiscard]] uint64_t missed_runs(const std::string& name) const;
  /// Maps the elements of an array map. Errors: internal (no such map), system.
  [[nodiscard]] Result<MapMemory> map(const std::string& name) const;

 private:
  struct Closer {
    void operator()(bpf_object* object) const;
  };
  using Handle = std::unique_ptr<bpf_object, Closer>;
  explicit Object(Handle handle) : handle_(std::move(handle)) {}
  static Result<Handle> open(std::string_view elf, const LoadOptions& options, std::string* log);
  Handle handle_;
};

/// Runs a program of type syscall with `context` (copied in and out). The result is what the
/// program returned. ErrorKind::hook if it cannot run.
Result<uint32_t> run_syscall_program(int program, void* context, size_t context_size);

}  // namespace grapnel::lower::bpf
