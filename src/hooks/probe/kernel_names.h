// Names of the running kernel: types and functions in its BTF, symbols in /proc/kallsyms.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

struct btf;

namespace grapnel::hooks::probe {

class KernelNames {
 public:
  /// Reads both; where one cannot be read, what it would say is unknown. `wanted` bounds what is
  /// kept of the symbols, of which there are some 150,000; without any they are not read.
  explicit KernelNames(const std::set<std::string, std::less<>>& wanted);

  [[nodiscard]] bool has_btf() const { return types_ != nullptr; }
  /// Ids in BTF, for attach_btf_id and calls.
  [[nodiscard]] std::optional<uint32_t> function_id(std::string_view name) const;
  [[nodiscard]] std::optional<uint32_t> struct_id(std::string_view name) const;
  /// Of the typedef that describes a tracepoint's arguments.
  [[nodiscard]] std::optional<uint32_t> tracepoint_id(std::string_view name) const;

  [[nodiscard]] bool has_symbols() const { return !symbols_.empty(); }
  /// "yes", "no", "unknown", or "only NAME.part.0": the compiler's leftover of an inlined function.
  [[nodiscard]] std::string symbol(std::string_view name) const;

 private:
  struct Free {
    void operator()(btf* types) const;
  };
  std::unique_ptr<btf, Free> types_;
  std::set<std::string, std::less<>> symbols_;
};

}  // namespace grapnel::hooks::probe
