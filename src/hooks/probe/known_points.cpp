#include "hooks/probe/known_points.h"

#include <array>

namespace grapnel::hooks::probe {
namespace {

constexpr auto kFunction = PointKind::function;
constexpr auto kTracepoint = PointKind::tracepoint;
constexpr auto kHelper = PointKind::helper;
constexpr auto kType = PointKind::program_type;

// clang-format off: a table
constexpr KnownPoint kPoints[] = {
    {"blk_account_io_completion", kFunction, "block", "", "5.7",
     "static and inlined in 5.8; fires several times for one request"},
    {"blk_account_io_start", kFunction, "block", "", "5.15",
     "__blk_account_io_start in 5.16 (be6bfe36db17); static in 5.17 (450b7879e345); open-coded in 6.4 (e165fb4dd698)"},
    {"blk_account_io_done", kFunction, "block", "", "5.15",
     "argument now in 4.18; __blk_account_io_done in 5.16 (be6bfe36db17); static in 5.17 (450b7879e345); open-coded in 6.4 (06965037ce94); its request says 0 bytes"},
    {"blk_update_request", kFunction, "block", "", "",
     "error became blk_status_t in 4.13; completions in batches bypass it since 5.16"},
    {"blk_mq_end_request", kFunction, "block", "3.13", "",
     "completions in batches bypass it since 5.16"},
    {"bio_endio", kFunction, "block", "", "", "once for each bio, also for bios of stacked devices"},
    {"__vfs_read", kFunction, "read", "", "5.7", "inlined by compilers; removed in 5.8 (775802c0571f)"},
    {"vfs_read", kFunction, "read", "", "", "sees neither sendfile, splice, mmap nor io_uring"},
    {"generic_file_read_iter", kFunction, "read", "3.16", "",
     "ext4 has its own read_iter since 4.10, xfs and btrfs too: they call it or filemap_read"},
    {"do_generic_file_read", kFunction, "page cache", "", "4.14", "inlined; generic_file_buffered_read since 4.15"},
    {"generic_file_buffered_read", kFunction, "page cache", "4.15", "5.11", "filemap_read since 5.12"},
    {"filemap_read", kFunction, "page cache", "5.12", "", "renamed from generic_file_buffered_read"},
    {"filemap_get_pages", kFunction, "page cache", "5.12", "",
     "static; takes a folio_batch since 5.19, need_uptodate since 6.5"},
    {"copy_page_to_iter", kFunction, "page cache", "3.16", "", "callers inline it in part; once for each page"},
    {"_copy_to_iter", kFunction, "page cache", "4.13", "", "every copy to user space, not only files"},
    {"add_to_page_cache_lru", kFunction, "page cache", "", "5.15", "a wrapper since 5.16, no longer called by the page cache"},
    {"filemap_add_folio", kFunction, "page cache", "5.16", "", "the folio holds no data yet"},
    {"mark_page_accessed", kFunction, "page cache", "", "5.15",
     "a wrapper since 5.16: attaches, and silently counts next to nothing"},
    {"folio_mark_accessed", kFunction, "page cache", "5.16", "", "what filemap_read calls instead of mark_page_accessed"},
    {"account_page_dirtied", kFunction, "page cache", "", "5.15", "static in 5.15, folio_account_dirtied in 5.16, inlined since"},
    {"do_sendfile", kFunction, "sendfile", "", "", "static, the same signature since 4.4"},
    {"splice_direct_to_actor", kFunction, "sendfile", "", "", "between sendfile and its inner pipe"},
    {"generic_file_splice_read", kFunction, "sendfile", "", "6.4", "filemap_splice_read since 6.5"},
    {"filemap_splice_read", kFunction, "sendfile", "6.5", "", "folios into a pipe, no copy"},
    {"tcp_sendpage", kFunction, "sendfile", "", "6.4", "removed in 6.5: MSG_SPLICE_PAGES takes its place"},
    {"skb_splice_from_iter", kFunction, "sendfile", "6.5", "", "pages into a socket buffer (MSG_SPLICE_PAGES)"},
    {"__x64_sys_read", kFunction, "system call", "4.17", "", "SyS_read before"},
    {"ksys_read", kFunction, "system call", "4.17", "", "inlined into __x64_sys_read in part"},

    {"block_rq_complete", kTracepoint, "block", "", "",
     "lost its queue argument by 4.13; error is blk_status_t since 5.16 to 5.19; fires in the batch path too, while the bios are intact"},
    {"block_rq_issue", kTracepoint, "block", "", "", "lost its queue argument in 5.11, and in 5.10.137"},
    {"block_io_start", kTracepoint, "block", "6.5", "", "takes the place of blk_account_io_start (5a80bd075f3b); 6.4 has neither"},
    {"block_io_done", kTracepoint, "block", "6.5", "", "takes the place of blk_account_io_done (5a80bd075f3b); 6.4 has neither"},
    {"mm_filemap_add_to_page_cache", kTracepoint, "page cache", "3.11", "", "struct folio since 5.16 to 5.19; the data is not there yet"},
    {"mm_filemap_get_pages", kTracepoint, "page cache", "6.12", "",
     "absent in 6.8; not on two paths of half-cached files; says the range that was asked for"},
    {"mm_filemap_map_pages", kTracepoint, "page cache", "6.12", "", "absent in 6.8; faults that map cached pages around"},
    {"mm_filemap_fault", kTracepoint, "page cache", "6.12", "", "absent in 6.8; before the page is read"},
    {"sys_enter", kTracepoint, "system call", "", "", "every system call of the machine pays while it is attached"},
    {"sys_exit", kTracepoint, "system call", "", "", "every system call of the machine pays while it is attached"},

    {"bpf_loop", kHelper, "loops", "5.17", "", "at most 8388608 rounds"},
    {"bpf_probe_read_kernel", kHelper, "reading pages", "5.5", "", "refused under lockdown=confidentiality"},
    {"bpf_copy_from_user", kHelper, "reading user memory", "5.10", "", "sleepable programs only"},
    {"bpf_rdonly_cast", kHelper, "reading pages", "6.2", "", "to a struct only (a35b9af4ec2c)"},
    {"bpf_rdonly_cast to void", kHelper, "reading pages", "6.17", "", "any address (f2362a57aeff); a load that faults gives 0"},
    {"bpf_cast_to_kern_ctx", kHelper, "sendfile", "6.2", "", "from sk_msg's context to its pages"},
    {"bpf_dynptr_from_file", kHelper, "reading files", "6.19", "", "needs a struct file that the verifier trusts"},
    {"bpf_probe_write_user", kHelper, "changing a reader's buffer", "4.8", "", "refused under lockdown since 5.14"},
    {"bpf_override_return", kHelper, "changing what read() returns", "4.16", "",
     "kprobe programs only, CONFIG_BPF_KPROBE_OVERRIDE, and functions marked for error injection"},

    {"syscall", kType, "pipe hook", "5.14", "", "runs when the program says so"},
    {"sk_msg", kType, "sendfile", "4.17", "", "sees pages up to 6.4, copies since 6.5"},
    {"tp_btf", kType, "page cache, block", "5.5", "", "tracepoints with types"},
    {"raw_tp", kType, "system call", "4.17", "", "tracepoints without types"},
    {"tracepoint", kType, "system call", "4.7", "", "needs tracefs"},
    {"fentry", kType, "page cache", "5.5", "", "entry of a function, by BPF trampoline"},
    {"fexit", kType, "page cache", "5.5", "", "return of a function, by BPF trampoline"},
    {"fmod_ret", kType, "changing what read() returns", "5.7", "", "only functions marked for it, and security_*"},
    {"kprobe", kType, "any function", "4.1", "", "needs CONFIG_KPROBE_EVENTS"},
    {"kprobe.multi", kType, "any function", "5.18", "", "needs CONFIG_FPROBE"},
    {"lsm", kType, "reading files", "5.7", "", "needs CONFIG_BPF_LSM; runs only if lsm= on the command line has bpf"},
    {"iter", kType, "reading files", "5.8", "", "over tasks, files and other kernel objects"},
};
// clang-format on

}  // namespace

std::string_view to_string(PointKind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"function", "tracepoint", "helper",
                                                      "program type"};
  return kNames[static_cast<size_t>(kind)];
}

std::span<const KnownPoint> known_points() { return kPoints; }

}  // namespace grapnel::hooks::probe
