// Native code calls find_or_insert once per record, so the common case (a group that is there) is
// one hash of the key, one probe and one comparison, with no branch that depends on which group it
// is.
#include <sys/random.h>

#include <algorithm>
#include <bit>
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

bool equal_bytes(const char* a, const char* b, size_t size) {
  if (size >= 8 && size <= 16)
    return ((load64(a) ^ load64(b)) | (load64(a + size - 8) ^ load64(b + size - 8))) == 0;
  return size == 0 || std::memcmp(a, b, size) == 0;
}

constexpr size_t kFirstIndexSize = 64;  // a power of two
constexpr size_t kSlotChunkBytes = 16 << 10;
constexpr size_t kKeyChunkBytes = 16 << 10;

}  // namespace

struct GroupTable::Impl {
  /// One place of the hash table: part of the hash, and the group's number + 1 (0: free).
  struct Place {
    uint32_t tag = 0;
    uint32_t group = 0;
  };
  struct Group {
    const char* key;
    uint32_t key_size;
    uint32_t tag;
    uint64_t hash;
  };

  Impl(const StateLayout& layout, size_t groups_limit)
      : slot_count(layout.slot_count),
        max_groups(std::min<size_t>(groups_limit, UINT32_MAX - 1)),
        chunk_shift(shift_for(layout.slot_count)) {}

  /// log2 of the number of groups whose slots share one allocation.
  static unsigned shift_for(uint32_t slot_count) {
    const size_t groups = kSlotChunkBytes / (slot_count * sizeof(uint64_t));
    return groups == 0 ? 0 : static_cast<unsigned>(std::bit_width(groups) - 1);
  }

  uint64_t* slots_of(size_t group) {
    return slot_chunks[group >> chunk_shift].get() +
           (group & ((size_t{1} << chunk_shift) - 1)) * slot_count;
  }

  bool has_room(size_t key_size) const {
    return groups.size() < max_groups && bytes + key_size < limits::kResultMemoryBytes;
  }

  const char* store_key(std::string_view key) {
    if (key_room < key.size()) {
      const size_t size = std::max(kKeyChunkBytes, key.size());
      key_chunks.push_back(std::make_unique_for_overwrite<char[]>(size));
      key_next = key_chunks.back().get();
      key_room = size;
      bytes += size;
    }
    char* stored = key_next;
    if (!key.empty()) std::memcpy(stored, key.data(), key.size());
    key_next += key.size();
    key_room -= key.size();
    return stored;
  }

  uint64_t* add_slots() {
    const size_t group = groups.size() - 1;
    if (group >> chunk_shift == slot_chunks.size()) {
      const size_t words = size_t{slot_count} << chunk_shift;
      slot_chunks.push_back(std::make_unique<uint64_t[]>(words));
      bytes += words * sizeof(uint64_t);
    }
    uint64_t* slots = slots_of(group);
    slots[kFirstOffsetSlot] = UINT64_MAX;
    return slots;
  }

  void place(size_t group) {
    const size_t mask = index.size() - 1;
    size_t at = groups[group].hash & mask;
    while (index[at].group != 0) at = (at + 1) & mask;
    index[at] = {groups[group].tag, static_cast<uint32_t>(group + 1)};
  }

  void grow_index() {
    const size_t size = std::max(kFirstIndexSize, index.size() * 2);
    bytes += (size - index.size()) * sizeof(Place);
    index.assign(size, Place{});
    for (size_t group = 0; group < groups.size(); group++) place(group);
  }

  uint64_t* insert(std::string_view key, uint64_t hash) {
    if (!has_room(key.size())) return nullptr;
    const auto tag = static_cast<uint32_t>(hash >> 32);
    groups.push_back({store_key(key), static_cast<uint32_t>(key.size()), tag, hash});
    bytes += sizeof(Group);
    // At most half full, so that runs stay short.
    if (groups.size() * 2 > index.size()) {
      grow_index();
    } else {
      place(groups.size() - 1);
    }
    return add_slots();
  }

  /// Kept in the table: a plugin has its own copy of this code, and of kSeeds.
  const Seeds seeds = kSeeds;
  const uint32_t slot_count;
  const size_t max_groups;
  const unsigned chunk_shift;
  std::vector<Place> index;
  std::vector<Group> groups;
  std::vector<std::unique_ptr<uint64_t[]>> slot_chunks;
  std::vector<std::unique_ptr<char[]>> key_chunks;
  char* key_next = nullptr;
  size_t key_room = 0;
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
  const auto tag = static_cast<uint32_t>(hash >> 32);
  const size_t mask = table.index.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const Impl::Place place = table.index[at];
    if (place.group == 0) return table.insert(encoded_key, hash);
    if (place.tag != tag) continue;
    const Impl::Group& group = table.groups[place.group - 1];
    if (group.key_size == encoded_key.size() &&
        equal_bytes(group.key, encoded_key.data(), encoded_key.size()))
      return table.slots_of(place.group - 1);
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
  const Impl::Group& entry = impl_->groups[group];
  return {entry.key, entry.key_size};
}

uint64_t* GroupTable::slots(size_t group) { return impl_->slots_of(group); }
const uint64_t* GroupTable::slots(size_t group) const { return impl_->slots_of(group); }

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
