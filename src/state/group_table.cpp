// Native code calls find_or_insert once per record, so the common case (a group that is there) is
// one hash of the key, one probe and one comparison, with no branch that depends on which group it
// is.
#include <sys/random.h>

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "state/partial.h"

namespace grapnel::state {

namespace {

uint64_t load64(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

uint32_t load32(const char* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// Folded multiplication, as in Wang Yi's wyhash.
uint64_t mix(uint64_t a, uint64_t b) {
  const UInt128 product = UInt128{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

/// Other in each process, so that nobody can write a file whose keys all collide.
struct Seeds {
  uint64_t first = 0xA0761D6478BD642F;
  uint64_t second = 0xE7037ED1A0B428DB;
  uint64_t third = 0x8EBC6AF09C88C6E3;
};

Seeds random_seeds() {
  Seeds seeds;
  uint64_t random[3];
  if (getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random) return seeds;
  seeds.first ^= random[0];
  seeds.second ^= random[1];
  seeds.third ^= random[2];
  return seeds;
}
const Seeds kSeeds = random_seeds();

uint64_t hash_of(const Seeds& seeds, const char* key, size_t size) {
  uint64_t state = seeds.third ^ size;
  uint64_t a = 0;
  uint64_t b = 0;
  size_t left = size;
  for (; left > 16; key += 16, left -= 16)
    state = mix(load64(key) ^ seeds.first, load64(key + 8) ^ state);
  if (left >= 8) {
    a = load64(key);
    b = load64(key + left - 8);
  } else if (left >= 4) {
    a = load32(key);
    b = load32(key + left - 4);
  } else {
    for (size_t i = 0; i < left; i++) a = a << 8 | static_cast<unsigned char>(key[i]);
  }
  return mix(mix(a ^ seeds.first, b ^ state), seeds.second);
}

bool equal_keys(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size < 8 || size > 16) return a == b;
  const char* x = a.data();
  const char* y = b.data();
  const uint64_t heads = load64(x) ^ load64(y);
  const uint64_t tails = load64(x + size - 8) ^ load64(y + size - 8);
  return (heads | tails) == 0;
}

constexpr size_t kFirstIndexSize = 64;  // a power of two
constexpr size_t kLeastChunkWords = (4 << 10) / sizeof(uint64_t);
constexpr size_t kMostChunkWords = (1 << 20) / sizeof(uint64_t);

/// One group in memory: hash, key size, slots, key bytes. All in one piece, so that finding a group
/// among many touches the index and then neighbouring cache lines.
class Record {
 public:
  static constexpr size_t kHeaderWords = 2;

  explicit Record(uint64_t* words) : words_(words) {}
  [[nodiscard]] uint64_t hash() const { return words_[0]; }
  [[nodiscard]] uint64_t* slots() const { return words_ + kHeaderWords; }
  [[nodiscard]] std::string_view key(uint32_t slot_count) const {
    return {reinterpret_cast<const char*>(slots() + slot_count), words_[1]};
  }
  void set(uint64_t hash, std::string_view key, uint32_t slot_count) {
    words_[0] = hash;
    words_[1] = key.size();
    slots()[kFirstOffsetSlot] = UINT64_MAX;
    if (!key.empty()) std::memcpy(slots() + slot_count, key.data(), key.size());
  }
  [[nodiscard]] uint64_t* words() const { return words_; }

 private:
  uint64_t* words_;
};

/// One place of the hash table: a record's address and 16 bits of its hash, or 0 if it is free.
/// Addresses of user space have 47 bits on x86-64 (more only for who asks mmap for them).
class Place {
 public:
  Place() = default;
  explicit Place(Record record)
      : bits_(reinterpret_cast<uint64_t>(record.words()) << 16 | tag_of(record.hash())) {}
  /// The bits that do not choose the place in the index.
  static uint64_t tag_of(uint64_t hash) { return hash >> 48; }
  [[nodiscard]] bool is_free() const { return bits_ == 0; }
  [[nodiscard]] bool has_tag(uint64_t tag) const { return (bits_ & 0xFFFF) == tag; }
  [[nodiscard]] Record record() const { return Record(reinterpret_cast<uint64_t*>(bits_ >> 16)); }

 private:
  uint64_t bits_ = 0;
};

}  // namespace

struct GroupTable::Impl {
  Impl(const StateLayout& layout, size_t groups_limit)
      : slot_count(layout.slot_count), max_groups(groups_limit) {}

  /// Zeroed words that stay where they are.
  uint64_t* allocate(size_t words) {
    if (words_left < words) {
      const size_t grown = bytes / sizeof(uint64_t);
      const size_t size = std::max(words, std::clamp(grown, kLeastChunkWords, kMostChunkWords));
      chunks.push_back(std::make_unique<uint64_t[]>(size));
      next_words = chunks.back().get();
      words_left = size;
      bytes += size * sizeof(uint64_t);
    }
    uint64_t* allocated = next_words;
    next_words += words;
    words_left -= words;
    return allocated;
  }

  void place(Record record) {
    const size_t mask = index.size() - 1;
    size_t at = record.hash() & mask;
    while (!index[at].is_free()) at = (at + 1) & mask;
    index[at] = Place(record);
  }

  void grow_index() {
    const size_t size = std::max(kFirstIndexSize, index.size() * 2);
    bytes += (size - index.size()) * sizeof(Place);
    index.assign(size, Place{});
    for (const Record record : groups) place(record);
  }

  uint64_t* insert(std::string_view key, uint64_t hash) {
    if (groups.size() >= max_groups || bytes + key.size() >= limits::kResultMemoryBytes)
      return nullptr;
    const size_t key_words = (key.size() + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    Record record(allocate(Record::kHeaderWords + slot_count + key_words));
    record.set(hash, key, slot_count);
    groups.push_back(record);
    bytes += sizeof(Record);
    // At most half full, so that runs stay short.
    if (groups.size() * 2 > index.size()) {
      grow_index();
    } else {
      place(record);
    }
    return record.slots();
  }

  /// Kept in the table: a plugin has its own copy of this code, and of kSeeds.
  const Seeds seeds = kSeeds;
  const uint32_t slot_count;
  const size_t max_groups;
  std::vector<Place> index;
  std::vector<Record> groups;  ///< by number
  std::vector<std::unique_ptr<uint64_t[]>> chunks;
  uint64_t* next_words = nullptr;
  size_t words_left = 0;
  std::vector<std::string> strings = {""};
  size_t bytes = 0;
};

GroupTable::GroupTable(const StateLayout& layout, size_t max_groups)
    : impl_(std::make_unique<Impl>(layout, max_groups)) {}
GroupTable::GroupTable(GroupTable&&) noexcept = default;
GroupTable& GroupTable::operator=(GroupTable&&) noexcept = default;
GroupTable::~GroupTable() = default;

uint64_t* GroupTable::find_or_insert(std::string_view encoded_key) {
  Impl& table = *impl_;
  const uint64_t hash = hash_of(table.seeds, encoded_key.data(), encoded_key.size());
  if (table.index.empty()) return table.insert(encoded_key, hash);
  const uint64_t tag = Place::tag_of(hash);
  const size_t mask = table.index.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const Place place = table.index[at];
    if (place.is_free()) return table.insert(encoded_key, hash);
    if (!place.has_tag(tag)) continue;
    if (equal_keys(place.record().key(table.slot_count), encoded_key))
      return place.record().slots();
  }
}

Error GroupTable::limit_error() const {
  Error error;
  error.kind = ErrorKind::limit;
  if (size() >= impl_->max_groups) {
    error.message = "the query has more than " + std::to_string(impl_->max_groups) + " groups";
    error.hint = "group by something coarser, or let WHERE leave fewer records";
  } else {
    error.message = "the groups of the query need more than " +
                    std::to_string(limits::kResultMemoryBytes >> 20) + " MiB of memory";
    error.hint = "group by fewer or shorter keys, or let WHERE leave fewer records";
  }
  return error;
}

size_t GroupTable::size() const { return impl_->groups.size(); }

size_t GroupTable::memory_bytes() const { return impl_->bytes; }

std::string_view GroupTable::key(size_t group) const {
  return impl_->groups[group].key(impl_->slot_count);
}

uint64_t* GroupTable::slots(size_t group) { return impl_->groups[group].slots(); }
const uint64_t* GroupTable::slots(size_t group) const { return impl_->groups[group].slots(); }

uint64_t GroupTable::add_string(std::string_view bytes) { return set_string(0, bytes); }

uint64_t GroupTable::set_string(uint64_t number, std::string_view bytes) {
  std::vector<std::string>& strings = impl_->strings;
  if (number == 0) {
    number = strings.size();
    strings.emplace_back();
    impl_->bytes += sizeof(std::string);
  }
  impl_->bytes -= strings[number].size();
  strings[number].assign(bytes);
  impl_->bytes += bytes.size();
  return number;
}

std::string_view GroupTable::string(uint64_t number) const { return impl_->strings[number]; }

void GroupTable::clear() {
  StateLayout layout;
  layout.slot_count = impl_->slot_count;
  impl_ = std::make_unique<Impl>(layout, impl_->max_groups);
}

}  // namespace grapnel::state
