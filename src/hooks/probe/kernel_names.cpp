#include "hooks/probe/kernel_names.h"

#include <bpf/btf.h>
#include <unistd.h>

#include <fstream>

namespace grapnel::hooks::probe {
namespace {

std::optional<uint32_t> find(const btf* types, const std::string& name, uint32_t kind) {
  if (types == nullptr) return std::nullopt;
  const int id = btf__find_by_name_kind(types, name.c_str(), kind);
  if (id <= 0) return std::nullopt;
  return static_cast<uint32_t>(id);
}

/// The name in a line "ffffffff81234560 t name [module]", without the compiler's suffix.
std::string_view symbol_name(std::string_view line) {
  const size_t kind = line.find(' ');
  if (kind == std::string_view::npos || kind + 3 > line.size()) return {};
  return line.substr(kind + 3, line.find_first_of(" \t", kind + 3) - kind - 3);
}

}  // namespace

void KernelNames::Free::operator()(btf* types) const { btf__free(types); }

KernelNames::KernelNames(const std::set<std::string, std::less<>>& wanted) {
  // libbpf complains on standard error if there is none.
  if (access("/sys/kernel/btf/vmlinux", R_OK) == 0) types_.reset(btf__load_vmlinux_btf());
  if (wanted.empty()) return;
  std::ifstream lines("/proc/kallsyms");
  for (std::string line; std::getline(lines, line);) {
    const std::string_view name = symbol_name(line);
    if (wanted.count(name.substr(0, name.find('.'))) != 0) symbols_.emplace(name);
  }
}

std::optional<uint32_t> KernelNames::function_id(std::string_view name) const {
  return find(types_.get(), std::string(name), BTF_KIND_FUNC);
}

std::optional<uint32_t> KernelNames::struct_id(std::string_view name) const {
  return find(types_.get(), std::string(name), BTF_KIND_STRUCT);
}

std::optional<uint32_t> KernelNames::tracepoint_id(std::string_view name) const {
  return find(types_.get(), "btf_trace_" + std::string(name), BTF_KIND_TYPEDEF);
}

std::string KernelNames::symbol(std::string_view name) const {
  if (!has_symbols()) return "unknown";
  if (symbols_.count(name) != 0) return "yes";
  const std::string prefix = std::string(name) + ".";
  const auto leftover = symbols_.lower_bound(prefix);
  if (leftover == symbols_.end() || leftover->compare(0, prefix.size(), prefix) != 0) return "no";
  return "only " + *leftover;
}

}  // namespace grapnel::hooks::probe
