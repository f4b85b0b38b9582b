#include "watch/board_reader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "lower/bpf/kernel_btf.h"
#include "watch_bpf.embed.h"

namespace grapnel::watch {
namespace {

constexpr uint64_t kPageBytes = 1 << GR_WATCH_PAGE_BITS;
/// Two CPUs that touch the same part for the first time at once leave a slot unused.
constexpr uint64_t kSpareSlots = 64;
constexpr uint64_t kMostDirectoryEntries = 1 << 20;  ///< 128 TiB of files

uint64_t pages_of(uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes; }

uint64_t slots_of(uint64_t pages) {
  return (pages + GR_WATCH_SLOT_PAGES - 1) / GR_WATCH_SLOT_PAGES;
}

uint64_t load(const gr_u64& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }

int ignore_ring(void*, void*, size_t) { return 0; }

}  // namespace

void Board::BellCloser::operator()(ring_buffer* bell) const { ring_buffer__free(bell); }

Result<Board> Board::open(const std::vector<WatchedFile>& files, const BoardOptions& options) {
  if (files.size() > GR_WATCH_FILES) {
    return Error{ErrorKind::limit,
                 "more than " + std::to_string(GR_WATCH_FILES) + " statements in one watch",
                 "start another watch for the rest"};
  }
  uint64_t entries = 0;
  for (const WatchedFile& file : files) entries += slots_of(pages_of(file.bytes));
  if (entries > kMostDirectoryEntries) {
    return Error{ErrorKind::limit, "the watched files are larger than 128 TiB",
                 "watch fewer of them at once"};
  }
  // The worker keeps as many bits as the kernel does.
  const uint64_t affordable = options.memory_bytes / (2 * sizeof(gr_watch_slot));
  Board board;
  board.slot_count_ =
      std::clamp<uint64_t>(entries + kSpareSlots, 1, std::max<uint64_t>(affordable, 1));
  lower::bpf::LoadOptions load_options;
  GRAPNEL_TRY(const auto types, lower::bpf::KernelBtf::open());
  load_options.name = "grapnel_watch";
  load_options.btf_path = types.path();
  load_options.map_sizes = {
      {"gr_files", GR_WATCH_FILES},
      {"gr_directory", static_cast<uint32_t>(std::max<uint64_t>(entries, 1))},
      {"gr_slots", static_cast<uint32_t>(board.slot_count_)},
      {"gr_cpus", GR_WATCH_CPUS},
      {"gr_mappings", GR_WATCH_FILES},
      {"gr_bell", GR_WATCH_BELL_BYTES},
      {"gr_readers", options.attribute ? GR_WATCH_READERS : 1},
  };
  GRAPNEL_TRY(auto object, lower::bpf::Object::load(embedded::watch_bpf(), load_options));
  board.object_ = std::make_unique<lower::bpf::Object>(std::move(object));
  GRAPNEL_TRY(board.control_, board.object_->map("gr_control"));
  GRAPNEL_TRY(board.files_, board.object_->map("gr_files"));
  GRAPNEL_TRY(board.slots_, board.object_->map("gr_slots"));
  GRAPNEL_TRY(board.cpus_, board.object_->map("gr_cpus"));
  board.bell_.reset(
      ring_buffer__new(board.object_->map_descriptor("gr_bell"), ignore_ring, nullptr, nullptr));
  if (!board.bell_) return Error::system("cannot wait for the programs in the kernel", errno);
  board.control().slots = board.slot_count_;
  board.control().attribute = options.attribute ? 1 : 0;
  GRAPNEL_CHECK(board.arm(files));
  return board;
}

Status Board::arm(const std::vector<WatchedFile>& files) {
  uint64_t directory_begin = 0;
  for (uint32_t i = 0; i < files.size(); i++) {
    gr_watch_file& file = files_.element<gr_watch_file>(i);
    file.pages = pages_of(files[i].bytes);
    file.directory_begin = directory_begin;
    directory_begin += slots_of(file.pages);
    gr_watch_arm request{static_cast<gr_u32>(files[i].descriptor), i, 0, 0};
    GRAPNEL_CHECK(lower::bpf::run_syscall_program(object_->program("gr_watch_arm"), &request,
                                                  sizeof request));
    if (request.done == 0)
      return Error{ErrorKind::hook, "the program in the kernel did not find the file", ""};
    numbers_.push_back(request.file);
  }
  return ok_status();
}

Status Board::attach() {
  GRAPNEL_TRY(attachment_, Attachment::attach(*object_));
  return ok_status();
}

bool Board::take_fresh(uint32_t file) {
  gr_watch_file& at = files_.element<gr_watch_file>(file);
  if (load(at.fresh) == 0) return false;
  return __atomic_exchange_n(&at.fresh, 0, __ATOMIC_ACQ_REL) != 0;
}

bool Board::any_fresh() const {
  for (const uint32_t number : numbers_)
    if (load(files_.element<gr_watch_file>(number).fresh) != 0) return true;
  return false;
}

uint32_t Board::used_slots() const {
  return static_cast<uint32_t>(std::min(load(control().slots_used), slot_count_));
}

gr_watch_slot* Board::take_fresh_slot(uint32_t slot) {
  gr_watch_slot& at = slots_.element<gr_watch_slot>(slot);
  if (load(at.fresh) == 0) return nullptr;
  if (__atomic_exchange_n(&at.fresh, 0, __ATOMIC_ACQ_REL) == 0) return nullptr;
  return &at;
}

void Board::wait(int timeout_ms) {
  __atomic_store_n(&control().asleep, 1, __ATOMIC_SEQ_CST);
  // What was marked before the line above rang no bell.
  if (!any_fresh()) (void)ring_buffer__poll(bell_.get(), timeout_ms);
  __atomic_store_n(&control().asleep, 0, __ATOMIC_SEQ_CST);
  (void)ring_buffer__consume(bell_.get());
}

void Board::leave_out(uint32_t of_256) {
  __atomic_store_n(&control().pause, of_256, __ATOMIC_RELAXED);
}

CpuCounts Board::cpus() const { return CpuCounts(&cpus_.element<gr_watch_cpu>(0), GR_WATCH_CPUS); }

FileCounts Board::counts(uint32_t file) const {
  const gr_watch_file& at = files_.element<gr_watch_file>(file);
  FileCounts counts;
  counts.asked_bytes = load(at.asked_bytes);
  counts.direct_bytes = load(at.direct_bytes);
  counts.audited_pages = load(at.audited_pages);
  counts.marked_pages = load(at.marked_pages);
  return counts;
}

uint64_t Board::lost_pages() const { return load(control().lost_pages); }
uint64_t Board::lost_readers() const { return load(control().lost_readers); }

uint64_t Board::lost_events() const {
  uint64_t lost = 0;
  for (const Place& place : all_places()) lost += object_->missed_runs(std::string(place.program));
  return lost;
}

std::vector<ReaderCounts> Board::readers(uint32_t file) const {
  std::vector<ReaderCounts> readers;
  const int map = object_->map_descriptor("gr_readers");
  gr_watch_reader_key key{};
  const void* previous = nullptr;
  while (readers.size() < GR_WATCH_READERS && bpf_map_get_next_key(map, previous, &key) == 0) {
    previous = &key;
    if (key.file != file) continue;
    gr_watch_reader value{};
    if (bpf_map_lookup_elem(map, &key, &value) != 0) continue;
    ReaderCounts& reader = readers.emplace_back();
    reader.started_ns = key.started_ns;
    reader.process = value.number;
    reader.kernel_thread = value.kernel_thread != 0;
    reader.comm.assign(value.comm, strnlen(value.comm, sizeof value.comm));
    reader.cgroup = value.cgroup;
    reader.asked_bytes = value.asked_bytes;
    reader.first_bytes = value.first_pages * kPageBytes;
    reader.caused_bytes = value.caused_pages * kPageBytes;
  }
  return readers;
}

}  // namespace grapnel::watch
