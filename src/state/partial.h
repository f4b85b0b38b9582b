// The result of some extents of a scan: groups with their states, or rows. Partials of disjoint
// extents are merged in any order; the answer does not depend on it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "op/query.h"
#include "state/layout.h"

namespace grapnel::state {

/// Appends the encoding of one key value: a null byte (0 value, 1 NULL), then for 64-bit types 8
/// bytes, for 128-bit types 16 bytes (little endian), for DOUBLE 8 bytes of the canonical bits (one
/// NaN, one zero), for VARCHAR a 32-bit length and the bytes. Equal keys <=> equal encodings.
void encode_key(std::string& out, const op::Datum& value, op::Type type);
/// Reads one value back and advances `*position`. Text is borrowed from `encoded`.
op::Datum decode_key(std::string_view encoded, size_t* position, op::Type type);

/// Groups of an aggregating query: an open-addressing hash table from encoded key to slots. Groups
/// are numbered from 0 in the order of their insertion. Without keys there is exactly one group,
/// with the empty key. Not thread-safe.
class GroupTable {
 public:
  GroupTable(const StateLayout& layout, size_t max_groups);
  GroupTable(GroupTable&&) noexcept;
  GroupTable& operator=(GroupTable&&) noexcept;
  ~GroupTable();

  /// Slots of the group with this key; a new group starts as zeroes with first offset UINT64_MAX.
  /// nullptr if the limit of groups or of memory is reached (see limit_error()). The slots stay
  /// where they are until clear().
  uint64_t* find_or_insert(std::string_view encoded_key);
  /// What find_or_insert's nullptr means, as an error to return.
  [[nodiscard]] Error limit_error() const;
  /// Number of groups.
  [[nodiscard]] size_t size() const;
  [[nodiscard]] size_t memory_bytes() const;
  [[nodiscard]] std::string_view key(size_t group) const;
  [[nodiscard]] uint64_t* slots(size_t group);
  [[nodiscard]] const uint64_t* slots(size_t group) const;
  /// The string store of extreme_text slots: number -> bytes. 0 is the empty string.
  uint64_t add_string(std::string_view bytes);
  /// Replaces string `number` and returns its number; 0 is never replaced, but gets a new number.
  /// So a falling minimum needs no more memory than one string.
  uint64_t set_string(uint64_t number, std::string_view bytes);
  [[nodiscard]] std::string_view string(uint64_t number) const;
  void clear();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Rows of a row query: values of Op::outputs in file order.
struct RowBatch {
  struct RowColumn {
    std::vector<Int128> integers;  ///< all but DOUBLE and VARCHAR
    std::vector<double> reals;
    std::vector<std::string> texts;
    std::vector<uint8_t> nulls;

    void append(const op::Datum& value, op::Type type);
    /// Makes `count` NULLs, to be set one by one.
    void resize(size_t count, op::Type type);
    void set(size_t row, const op::Datum& value, op::Type type);
    /// Text is borrowed.
    [[nodiscard]] op::Datum value(size_t row, op::Type type) const;
  };
  std::vector<uint64_t> file_offsets;
  std::vector<RowColumn> columns;

  size_t text_bytes = 0;  ///< in all texts, kept by the functions below

  [[nodiscard]] size_t size() const { return file_offsets.size(); }
  void append(uint64_t file_offset, std::span<const op::Datum> values,
              const std::vector<op::ExprPtr>& outputs);
  [[nodiscard]] op::Datum value(size_t row, size_t column, op::Type type) const;
  void append_all(RowBatch&& other);  ///< other's rows come after; other is left empty
  void sort_by_offset();
  /// Keeps the first `count` rows.
  void truncate(size_t count);
  [[nodiscard]] size_t memory_bytes() const;
};

/// ErrorKind::limit if a result of `bytes` is more than limits::kResultMemoryBytes.
Status check_memory(size_t bytes);

class Partial {
 public:
  Partial(std::shared_ptr<const op::Op> op, std::shared_ptr<const StateLayout> layout,
          size_t max_groups);

  GroupTable groups;
  RowBatch rows;
  uint64_t records = 0;  ///< records looked at

  /// Adds one value to the state of aggregate `index` of a group (exact; used by the interpreter).
  /// The group's first offset and record count are the caller's business (see touch).
  void update(uint64_t* slots, size_t index, const op::Datum& value);
  /// Counts one record of a group.
  static void touch(uint64_t* slots, uint64_t file_offset) {
    if (file_offset < slots[kFirstOffsetSlot]) slots[kFirstOffsetSlot] = file_offset;
    slots[kRecordCountSlot]++;
  }
  /// Adds `other`, whose records are disjoint from ours. `other` is left empty. Rows are appended:
  /// who merges out of file order calls rows.sort_by_offset() in the end. ErrorKind::limit if there
  /// are too many groups or the result needs too much memory.
  Status merge(Partial&& other);
  /// ErrorKind::limit if groups and rows need more than limits::kResultMemoryBytes.
  [[nodiscard]] Status check_memory() const;
  [[nodiscard]] const op::Op& op() const { return *op_; }
  [[nodiscard]] const StateLayout& layout() const { return *layout_; }
  /// Finished value of aggregate `index` of a group. Text is borrowed. ErrorKind::data if a sum is
  /// out of its type's range.
  Result<op::Datum> finish(const uint64_t* slots, size_t index) const;
  [[nodiscard]] bool empty() const;
  void clear();

 private:
  std::shared_ptr<const op::Op> op_;
  std::shared_ptr<const StateLayout> layout_;
};

}  // namespace grapnel::state
