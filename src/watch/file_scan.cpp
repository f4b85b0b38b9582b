#include "watch/file_scan.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>
#include <utility>

#include "hooks/common/thread_clock.h"

namespace grapnel::watch {
namespace {

constexpr uint64_t kPageBytes = 1 << GR_WATCH_PAGE_BITS;
constexpr size_t kPieceBytes = CachedBytes::kMostPages * kPageBytes;
constexpr uint64_t kFirstPause_ns = 1'000'000;  ///< doubled each time
constexpr unsigned kMostLooks = 8;              ///< within a quarter of a second
constexpr size_t kMostWaiting = 1 << 16;
constexpr size_t kMostUnknown = 1 << 16;

Range pages_around(Range bytes) {
  return {bytes.begin / kPageBytes, (bytes.end + kPageBytes - 1) / kPageBytes};
}

}  // namespace

uint64_t steady_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

FileScan::FileScan(std::vector<StandingQuery*> queries, std::function<void()> between_pieces,
                   CachedBytes cached, hooks::PageBuffer buffer)
    : queries_(std::move(queries)),
      between_pieces_(std::move(between_pieces)),
      file_bytes_(queries_.front()->source().data_end),
      cached_(std::move(cached)),
      buffer_(std::move(buffer)) {}

Result<std::unique_ptr<FileScan>> FileScan::open(std::vector<StandingQuery*> queries,
                                                 std::function<void()> between_pieces) {
  GRAPNEL_TRY(auto cached, CachedBytes::open(queries.front()->source()));
  GRAPNEL_TRY(auto buffer, hooks::PageBuffer::allocate(kPieceBytes + program::kSlackBytes));
  return std::unique_ptr<FileScan>(new FileScan(std::move(queries), std::move(between_pieces),
                                                std::move(cached), std::move(buffer)));
}

void FileScan::take(gr_watch_slot& shared) {
  Slot& slot = slots_[shared.first_page];
  slot.shared = &shared;
  Range run;
  for (uint64_t word = 0; word < GR_WATCH_SLOT_WORDS; word++) {
    const uint64_t marked = __atomic_load_n(&shared.words[word], __ATOMIC_ACQUIRE);
    uint64_t fresh = marked & ~slot.taken[word];
    slot.taken[word] |= fresh;
    while (fresh != 0) {
      const auto first = static_cast<unsigned>(std::countr_zero(fresh));
      const auto count = static_cast<unsigned>(std::countr_one(fresh >> first));
      const uint64_t page = shared.first_page + word * 64 + first;
      if (run.end != page) {
        offer(run, 0);
        run.begin = page;
      }
      run.end = page + count;
      fresh &= count == 64 ? 0 : ~(((uint64_t{1} << count) - 1) << first);
    }
  }
  offer(run, 0);
}

bool FileScan::wants_nothing() const {
  return std::all_of(queries_.begin(), queries_.end(), [](const StandingQuery* query) {
    return query->failure() || query->assembler().complete();
  });
}

// In pieces that end at multiples of their size.
void FileScan::offer(Range pages, unsigned looks, bool backwards) {
  constexpr uint64_t kStep = CachedBytes::kMostPages;
  pages.end = std::min(pages.end, (file_bytes_ + kPageBytes - 1) / kPageBytes);
  while (pages.begin < pages.end) {
    Range piece = pages;
    if (backwards) {
      piece.begin = std::max(pages.begin, (pages.end - 1) / kStep * kStep);
      pages.end = piece.begin;
    } else {
      piece.end = std::min(pages.end, (pages.begin / kStep + 1) * kStep);
      pages.begin = piece.end;
    }
    offer_piece(piece, looks);
  }
}

void FileScan::offer_piece(Range pages, unsigned looks) {
  between_pieces_();
  if (wants_nothing()) return;
  const auto resident = cached_.look(pages.begin, pages.end - pages.begin);
  if (!resident.ok()) return fail_all(resident.error());
  const std::vector<unsigned char>& cached = **resident;
  for (uint64_t page = pages.begin; page < pages.end;) {
    const unsigned char here = cached[page - pages.begin];
    uint64_t end = page + 1;
    while (end < pages.end && cached[end - pages.begin] == here) end++;
    if (here != 0) {
      feed({page, end});
    } else {
      wait_for({page, end}, looks);
    }
    page = end;
  }
}

void FileScan::wait_for(Range pages, unsigned looks) {
  if (looks >= kMostLooks || waiting_.size() >= kMostWaiting) {
    gone_pages_ += pages.end - pages.begin;
    give_back(pages);
    return;
  }
  waiting_.emplace(steady_nanoseconds() + (kFirstPause_ns << looks), Waiting{pages, looks + 1});
}

bool FileScan::look_again() {
  const uint64_t now = steady_nanoseconds();
  bool any = false;
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    const Waiting due = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    offer(due.pages, due.looks);
    any = true;
  }
  return any;
}

uint64_t FileScan::next_look_ns() const {
  return waiting_.empty() ? std::numeric_limits<uint64_t>::max() : waiting_.begin()->first;
}

// The marks go, so that the pages are seen when they are read again.
void FileScan::give_back(Range pages) {
  for (uint64_t page = pages.begin; page < pages.end; page++) {
    const auto slot = slots_.find(page / GR_WATCH_SLOT_PAGES * GR_WATCH_SLOT_PAGES);
    if (slot == slots_.end()) continue;
    const uint64_t word = page % GR_WATCH_SLOT_PAGES / 64;
    const uint64_t bit = uint64_t{1} << page % 64;
    __atomic_fetch_and(&slot->second.shared->words[word], ~bit, __ATOMIC_ACQ_REL);
    slot->second.taken[word] &= ~bit;
  }
}

void FileScan::give_back_bytes(const std::vector<Range>& bytes) {
  for (const Range& range : bytes) give_back(pages_around(range));
}

void FileScan::feed(Range pages) {
  const uint64_t begin = pages.begin * kPageBytes;
  const uint64_t end = std::min(pages.end * kPageBytes, file_bytes_);
  const uint64_t device_before = hooks::thread_device_bytes();
  const uint64_t copied = cached_.copy(begin, end, buffer_.data());
  device_bytes_ += hooks::thread_device_bytes() - device_before;
  if (begin + copied < end) {
    const Range gone{(begin + copied) / kPageBytes, pages.end};
    gone_pages_ += gone.end - gone.begin;
    give_back(gone);
  }
  for (StandingQuery* query : queries_)
    feed_one(*query, begin, {buffer_.data(), static_cast<size_t>(copied)});
}

void FileScan::feed_one(StandingQuery& query, uint64_t begin, std::string_view bytes) {
  Taken taken;
  query.take(begin, bytes, taken);
  for (const Range& range : taken.unknown) {
    if (query.unknown().size() < kMostUnknown) {
      query.unknown().add(range);
    } else {
      taken.released.push_back(range);
    }
  }
  give_back_bytes(taken.released);
}

void FileScan::offer_unknown() {
  for (StandingQuery* query : queries_) {
    while (!query->failure() && query->has_news() && offer_unknown_of(*query)) {
    }
  }
}

// Each round the parts that touch a run: the state at that side is known now.
bool FileScan::offer_unknown_of(StandingQuery& query) {
  if (query.unknown().empty()) return false;
  bool any = false;
  for (const Range& range : query.unknown().list()) {
    if (!query.assembler().touches_run(range)) continue;
    query.unknown().remove(range);
    const bool from_left = query.assembler().has_run_ending_at(range.begin);
    offer(pages_around(range), 0, !from_left);
    any = true;
  }
  return any;
}

void FileScan::complete(StandingQuery& query) {
  constexpr int kMostRounds = 3;  // edges that were given back meanwhile are missing once more
  for (int round = 0; round < kMostRounds; round++) {
    const std::vector<Range> missing = query.assembler().missing();
    if (missing.empty() || query.failure()) return;
    // From the front, so that it is known everywhere what lies inside quotes.
    for (const Range& range : missing) complete_range(query, range);
  }
}

void FileScan::complete_range(StandingQuery& query, Range bytes) {
  const source::Source& source = query.source();
  while (bytes.begin < bytes.end) {
    between_pieces_();
    if (query.failure()) return;
    const uint64_t next = std::min(bytes.end, (bytes.begin / kPieceBytes + 1) * kPieceBytes);
    const ssize_t got =
        pread(source.file.get(), buffer_.data(), static_cast<size_t>(next - bytes.begin),
              static_cast<off_t>(bytes.begin));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return query.fail(Error::system("cannot read " + source.path, errno));
    if (got == 0) return query.fail(hooks::missing_bytes(source, bytes.begin));
    const auto size = static_cast<size_t>(got);
    query.completed_bytes += size;
    feed_one(query, bytes.begin, {buffer_.data(), size});
    bytes.begin += size;
  }
}

void FileScan::fail_all(const Error& error) {
  for (StandingQuery* query : queries_) query->fail(error);
}

}  // namespace grapnel::watch
