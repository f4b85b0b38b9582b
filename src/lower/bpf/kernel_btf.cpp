#include "lower/bpf/kernel_btf.h"

#include <bpf/btf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "lower/cache/object_cache.h"

namespace grapnel::lower::bpf {
namespace {

/// What kernel.bpf.h names; the two lists belong together. A member of a member is named by its
/// path and appears under its last name. One that all hooks need must be there; without another one
/// the programs that touch it are refused, by name, when they are loaded.
struct NeededStruct {
  const char* name;
  std::vector<const char*> members;
  bool by_all = false;
  std::vector<const char*> by_some{};  ///< beside `members`, of a struct that all hooks need
};

const std::vector<NeededStruct>& needed_structs() {
  static const std::vector<NeededStruct> structs = {
      {"pipe_buffer", {"page", "offset", "len"}, true},
      {"pipe_inode_info", {"head", "tail", "ring_size", "bufs"}, true},
      {"file",
       {"private_data", "f_mapping", "f_pos"},
       true,
       {"f_inode", "f_flags", "f_path.mnt", "f_path.dentry"}},
      {"fdtable", {"max_fds", "fd"}, true},
      {"files_struct", {"fdt"}, true},
      {"mm_struct", {"pgd"}, true},
      {"task_struct",
       {"files", "mm"},
       true,
       {"group_leader", "thread_pid", "start_boottime", "flags", "thread_info.status", "comm"}},
      {"page", {"compound_head", "compound_info"}},  // one of them
      {"address_space", {"host", "i_pages.xa_head"}},
      {"inode", {"i_size", "i_ino", "i_sb", "i_mapping", "i_dentry.first", "i_rdev", "i_mode"}},
      {"super_block", {"s_bdev", "s_dev", "s_magic"}},
      {"block_device", {"bd_dev"}},
      {"vfsmount", {"mnt_root"}},
      {"dentry", {"d_parent", "d_name.name", "d_u.d_alias", "d_alias"}},
      {"mount", {"mnt_parent", "mnt_mountpoint", "mnt"}},
      {"pid", {"level", "numbers"}},
      {"upid", {"nr", "ns"}},
      {"xa_node", {"shift", "slots"}},
      {"folio", {"flags", "mapping", "index", "_nr_pages", "_folio_nr_pages"}},
      {"folio_batch", {"nr", "folios"}},
      {"bio",
       {"bi_next", "bi_io_vec", "bi_iter.bi_sector", "bi_iter.bi_size", "bi_iter.bi_idx",
        "bi_iter.bi_bvec_done", "bi_opf", "bi_bdev", "bi_private"}},
      {"bio_vec", {"bv_page", "bv_len", "bv_offset"}},
      {"request", {"bio", "cmd_flags"}},
      {"sk_msg", {"sg.start", "sg.end", "sg.size", "sg.data"}},
      {"scatterlist", {"page_link", "offset", "length"}},
      {"pt_regs", {"di", "si", "dx", "r10", "r8", "ax", "orig_ax"}},
      {"kiocb", {"ki_filp", "ki_pos"}},
      {"iomap_dio", {"iocb"}},
      {"io_kiocb", {"file", "opcode", "cqe.res"}},
      {"io_rw", {"kiocb.ki_pos", "len"}},
  };
  return structs;
}

/// The same for enumerations: what their members' numbers are.
struct NeededEnum {
  const char* name;
  std::vector<const char*> members;
};

const std::vector<NeededEnum>& needed_enums() {
  static const std::vector<NeededEnum> enums = {
      {"pageflags", {"PG_uptodate", "PG_head"}},
  };
  return enums;
}

constexpr uint32_t kPageStructBytes = 64;

struct BtfDeleter {
  void operator()(btf* types) const { btf__free(types); }
};
using Btf = std::unique_ptr<btf, BtfDeleter>;

Error no_btf(std::string what) {
  return Error{ErrorKind::hook, std::move(what),
               "the kernel needs CONFIG_DEBUG_INFO_BTF (/sys/kernel/btf/vmlinux), as Debian's, "
               "Ubuntu's, Fedora's and most other kernels have it"};
}

const btf_type* without_modifiers(const btf* types, uint32_t id) {
  const btf_type* type = btf__type_by_id(types, id);
  while (type != nullptr && (btf_is_mod(type) || btf_is_typedef(type)))
    type = btf__type_by_id(types, type->type);
  return type;
}

struct FoundMember {
  uint32_t bit_offset;
  const btf_type* type;
};

/// Looks through anonymous structs and unions, too.
std::optional<FoundMember> find_member(const btf* types, const btf_type* in, const char* name,
                                       uint32_t base_bits = 0) {
  const btf_member* members = btf_members(in);
  for (uint32_t i = 0; i < btf_vlen(in); i++) {
    const uint32_t bits = base_bits + btf_member_bit_offset(in, i);
    const btf_type* type = without_modifiers(types, members[i].type);
    if (type == nullptr) continue;
    const char* member = btf__name_by_offset(types, members[i].name_off);
    if (std::strcmp(member, name) == 0) return FoundMember{bits, type};
    if (*member == '\0' && btf_is_composite(type)) {
      if (const auto found = find_member(types, type, name, bits)) return found;
    }
  }
  return std::nullopt;
}

/// "bi_iter.bi_size" in struct bio.
std::optional<FoundMember> find_path(const btf* types, const btf_type* in, std::string_view path) {
  uint32_t base_bits = 0;
  for (;;) {
    const size_t dot = path.find('.');
    const auto found = find_member(types, in, std::string(path.substr(0, dot)).c_str(), base_bits);
    if (!found || dot == std::string_view::npos) return found;
    if (!btf_is_composite(found->type)) return std::nullopt;
    base_bits = found->bit_offset;
    in = found->type;
    path.remove_prefix(dot + 1);
  }
}

const char* last_name(const char* path) {
  const char* dot = std::strrchr(path, '.');
  return dot == nullptr ? path : dot + 1;
}

/// Copies the needed structs from `kernel` to a new BTF: size, and the needed members as pointers
/// or integers at their places (an array or a struct as an integer: only its place matters).
class Excerpt {
 public:
  explicit Excerpt(const btf* kernel)
      : kernel_(kernel), made_(btf__new_empty()), pointer_(btf__add_ptr(made_.get(), 0)) {}

  Status add(const NeededStruct& needed) {
    const int id = btf__find_by_name_kind(kernel_, needed.name, BTF_KIND_STRUCT);
    if (id < 0 && !needed.by_all) return ok_status();
    if (id < 0) return no_btf("the kernel's BTF has no struct " + std::string(needed.name));
    const btf_type* type = btf__type_by_id(kernel_, static_cast<uint32_t>(id));
    struct Member {
      const char* name;
      uint32_t bit_offset;
      int type;
    };
    std::vector<Member> members;
    const auto take = [&](const char* name) {
      const auto found = find_path(kernel_, type, name);
      const int member_type = found ? type_id(found->type) : -1;
      if (member_type >= 0) members.push_back({last_name(name), found->bit_offset, member_type});
      return member_type >= 0;
    };
    for (const char* name : needed.members)
      if (!take(name) && needed.by_all)
        return no_btf("this kernel's struct " + std::string(needed.name) + " has no member " +
                      name + " as grapnel knows it");
    for (const char* name : needed.by_some) take(name);
    btf__add_struct(made_.get(), needed.name, type->size);
    for (const Member& member : members)
      btf__add_field(made_.get(), member.name, member.type, member.bit_offset, 0);
    if (std::strcmp(needed.name, "page") == 0 && type->size != kPageStructBytes) {
      return Error{ErrorKind::hook,
                   "this kernel's struct page has " + std::to_string(type->size) +
                       " bytes; grapnel's kernel hooks know only 64",
                   "use the hooks in user space"};
    }
    return ok_status();
  }

  /// What is not there is left out: programs that ask for it are refused when they are loaded.
  void add(const NeededEnum& needed) {
    const int id = btf__find_by_name_kind(kernel_, needed.name, BTF_KIND_ENUM);
    if (id < 0) return;
    const btf_type* type = btf__type_by_id(kernel_, static_cast<uint32_t>(id));
    btf__add_enum(made_.get(), needed.name, type->size);
    const struct btf_enum* members = btf_enum(type);
    for (uint32_t i = 0; i < btf_vlen(type); i++) {
      const char* name = btf__name_by_offset(kernel_, members[i].name_off);
      const bool wanted = std::any_of(needed.members.begin(), needed.members.end(),
                                      [&](const char* w) { return std::strcmp(w, name) == 0; });
      if (wanted) btf__add_enum_value(made_.get(), name, members[i].val);
    }
  }

  [[nodiscard]] std::string bytes() const {
    uint32_t size = 0;
    const void* raw = btf__raw_data(made_.get(), &size);
    return {static_cast<const char*>(raw), size};
  }

 private:
  int type_id(const btf_type* type) {
    if (btf_is_ptr(type)) return pointer_;
    uint32_t size = 8;
    if (btf_is_int(type))
      size = type->size;
    else if (!btf_is_array(type) && !btf_is_composite(type))
      return -1;
    if (size > 8) return -1;
    int& id = integers_[size];
    if (id == 0) id = btf__add_int(made_.get(), ("u" + std::to_string(size)).c_str(), size, 0);
    return id;
  }

  const btf* kernel_;
  Btf made_;
  int pointer_;
  std::array<int, 9> integers_{};
};

Result<std::string> make_excerpt() {
  const Btf kernel(btf__load_vmlinux_btf());
  if (!kernel) return no_btf("cannot read the kernel's type information (BTF)");
  Excerpt excerpt(kernel.get());
  for (const NeededStruct& needed : needed_structs()) GRAPNEL_CHECK(excerpt.add(needed));
  for (const NeededEnum& needed : needed_enums()) excerpt.add(needed);
  return excerpt.bytes();
}

template <typename Needed>
void append_needed(std::string& key, const std::vector<Needed>& all) {
  for (const Needed& needed : all) {
    key.append("\n").append(needed.name);
    for (const char* member : needed.members) key.append(" ").append(member);
  }
}

/// Names the kernel's build (the notes hold its build id) and the lists above.
std::string cache_key() {
  std::ifstream notes("/sys/kernel/notes", std::ios::binary);
  const std::string build{std::istreambuf_iterator<char>(notes), {}};
  if (build.empty()) return {};
  std::string key = "kernel-btf 2\n" + build;
  append_needed(key, needed_structs());
  for (const NeededStruct& needed : needed_structs())
    for (const char* member : needed.by_some) key.append(" ").append(member);
  append_needed(key, needed_enums());
  return key;
}

Result<std::string> find_or_make_excerpt() {
  const std::string key = cache_key();
  if (key.empty()) return make_excerpt();
  const ObjectCache cache = ObjectCache::open();
  if (auto found = cache.find(key); found.object) return *std::move(found.object);
  GRAPNEL_TRY(std::string excerpt, make_excerpt());
  (void)cache.store(key, excerpt);  // without it the next process takes some milliseconds longer
  return excerpt;
}

}  // namespace

Result<KernelBtf> KernelBtf::open() {
  GRAPNEL_TRY(const std::string excerpt, find_or_make_excerpt());
  UniqueFd memory(memfd_create("grapnel-kernel-btf", MFD_CLOEXEC));
  if (!memory.valid() ||
      write(memory.get(), excerpt.data(), excerpt.size()) != static_cast<ssize_t>(excerpt.size()))
    return Error::system("cannot make a file in memory", errno);
  return KernelBtf(std::move(memory));
}

std::string KernelBtf::path() const { return "/proc/self/fd/" + std::to_string(memory_.get()); }

}  // namespace grapnel::lower::bpf
