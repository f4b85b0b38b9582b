#include "engine/arrow_export.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace grapnel::engine {
namespace {

std::string format_of(op::Type type) {
  switch (type.kind) {
    case op::TypeKind::boolean:
      return "b";
    case op::TypeKind::tinyint:
      return "c";
    case op::TypeKind::smallint:
      return "s";
    case op::TypeKind::integer:
      return "i";
    case op::TypeKind::bigint:
      return "l";
    case op::TypeKind::hugeint:
      return "d:38,0";
    case op::TypeKind::utinyint:
      return "C";
    case op::TypeKind::usmallint:
      return "S";
    case op::TypeKind::uinteger:
      return "I";
    case op::TypeKind::ubigint:
      return "L";
    case op::TypeKind::decimal:
      return "d:" + std::to_string(type.precision) + "," + std::to_string(type.scale);
    case op::TypeKind::real:
      return "g";
    case op::TypeKind::varchar:
      return "u";
    case op::TypeKind::date:
      return "tdD";
  }
  return "n";
}

// A schema with what its pointers point at. Children are part of it and free nothing themselves,
// unless a consumer has moved them away: then they are gone from here (release is null).
struct SchemaStorage {
  std::string name;
  std::string format;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> child_pointers;
};

void release_schema(ArrowSchema* schema) {
  std::unique_ptr<SchemaStorage> storage(static_cast<SchemaStorage*>(schema->private_data));
  for (ArrowSchema& child : storage->children) {
    if (child.release != nullptr) child.release(&child);
  }
  schema->release = nullptr;
}

void fill_schema(std::unique_ptr<SchemaStorage> storage, int64_t flags, ArrowSchema* out) {
  *out = {};
  for (ArrowSchema& child : storage->children) storage->child_pointers.push_back(&child);
  out->format = storage->format.c_str();
  out->name = storage->name.c_str();
  out->flags = flags;
  out->n_children = static_cast<int64_t>(storage->children.size());
  out->children = storage->child_pointers.data();
  out->release = release_schema;
  out->private_data = storage.release();
}

/// Memory as Arrow wants it: aligned to 64 bytes, so that 128-bit values and vector loads are too.
struct AlignedFree {
  void operator()(void* memory) const { std::free(memory); }
};
using AlignedBytes = std::unique_ptr<void, AlignedFree>;

AlignedBytes aligned_copy(const void* bytes, size_t size) {
  constexpr size_t kAlignment = 64;
  const size_t rounded = (size / kAlignment + 1) * kAlignment;
  AlignedBytes copy(std::aligned_alloc(kAlignment, rounded));
  if (!copy) throw std::bad_alloc();
  if (size > 0) std::memcpy(copy.get(), bytes, size);
  std::memset(static_cast<char*>(copy.get()) + size, 0, rounded - size);
  return copy;
}

struct ArrayStorage {
  std::vector<AlignedBytes> memory;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> child_pointers;

  void add_buffer(const void* bytes, size_t size) {
    memory.push_back(aligned_copy(bytes, size));
    buffers.push_back(memory.back().get());
  }
};

void release_array(ArrowArray* array) {
  std::unique_ptr<ArrayStorage> storage(static_cast<ArrayStorage*>(array->private_data));
  for (ArrowArray& child : storage->children) {
    if (child.release != nullptr) child.release(&child);
  }
  array->release = nullptr;
}

void fill_array(std::unique_ptr<ArrayStorage> storage, size_t rows, int64_t null_count,
                ArrowArray* out) {
  *out = {};
  for (ArrowArray& child : storage->children) storage->child_pointers.push_back(&child);
  out->length = static_cast<int64_t>(rows);
  out->null_count = null_count;
  out->n_buffers = static_cast<int64_t>(storage->buffers.size());
  out->buffers = storage->buffers.data();
  out->n_children = static_cast<int64_t>(storage->children.size());
  out->children = storage->child_pointers.data();
  out->release = release_array;
  out->private_data = storage.release();
}

/// Appends a bit per row of [begin, end), `first` bits being there already.
template <typename Bit>
void append_bits(std::vector<uint8_t>& bits, size_t first, size_t begin, size_t end,
                 const Bit& bit) {
  bits.resize((first + end - begin + 7) / 8);
  for (size_t row = begin; row < end; row++, first++) {
    const unsigned set = bit(row) ? 1 : 0;
    bits[first / 8] = static_cast<uint8_t>(bits[first / 8] | set << (first % 8));
  }
}

/// Appends values of one fixed width. Little endian: the low bytes of a 128-bit value are the value
/// in any narrower width.
template <size_t kWidthBytes, typename Value>
void append_fixed(std::vector<uint8_t>& out, const std::vector<Value>& values, size_t begin,
                  size_t end) {
  static_assert(kWidthBytes <= sizeof(Value));
  size_t at = out.size();
  out.resize(at + (end - begin) * kWidthBytes);
  for (size_t row = begin; row < end; row++, at += kWidthBytes) {
    std::memcpy(&out[at], &values[row], kWidthBytes);
  }
}

/// Well-formed as Unicode 15, table 3-7 says: no overlong forms, no surrogates.
bool is_utf8(std::string_view text) {
  size_t i = 0;
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  while (i < text.size()) {
    uint64_t word = 0;
    if (text.size() - i >= sizeof word) {
      std::memcpy(&word, text.data() + i, sizeof word);
      if ((word & 0x8080808080808080U) == 0) {
        i += sizeof word;
        continue;
      }
    }
    const unsigned lead = byte(i);
    if (lead < 0x80) {
      i++;
      continue;
    }
    const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - i < length) return false;
    const unsigned second = byte(i + 1);
    const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (second < least || second > most) return false;
    for (size_t k = 2; k < length; k++) {
      if ((byte(i + k) & 0xC0U) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

Error not_utf8(const std::string& column) {
  return {ErrorKind::data, "a value of the result column '" + column + "' is not valid UTF-8",
          "the file is in another encoding; convert it first, for instance with iconv -f LATIN1 "
          "-t UTF-8",
          0, std::nullopt};
}

}  // namespace

uint32_t value_bytes(op::Type type) {
  switch (type.kind) {
    case op::TypeKind::boolean:
    case op::TypeKind::varchar:
      return 0;
    case op::TypeKind::tinyint:
    case op::TypeKind::utinyint:
      return 1;
    case op::TypeKind::smallint:
    case op::TypeKind::usmallint:
      return 2;
    case op::TypeKind::integer:
    case op::TypeKind::uinteger:
    case op::TypeKind::date:
      return 4;
    case op::TypeKind::bigint:
    case op::TypeKind::ubigint:
    case op::TypeKind::real:
      return 8;
    case op::TypeKind::hugeint:
    case op::TypeKind::decimal:
      return 16;
  }
  return 0;
}

void export_schema(const std::vector<op::OutputColumn>& columns, ArrowSchema* out) {
  auto top = std::make_unique<SchemaStorage>();
  top->format = "+s";
  top->children.resize(columns.size());
  for (size_t i = 0; i < columns.size(); i++) {
    auto child = std::make_unique<SchemaStorage>();
    child->name = columns[i].name;
    child->format = format_of(columns[i].type);
    fill_schema(std::move(child), ARROW_FLAG_NULLABLE, &top->children[i]);
  }
  fill_schema(std::move(top), 0, out);
}

BatchBuilder::BatchBuilder(const std::vector<op::OutputColumn>& columns)
    : columns_(columns), data_(columns.size()) {
  for (size_t i = 0; i < columns.size(); i++) {
    data_[i].width_bytes = value_bytes(columns[i].type);
    if (columns[i].type.kind == op::TypeKind::varchar) data_[i].offsets.push_back(0);
  }
}

Result<size_t> BatchBuilder::append_rows(const finish::FinishedTable& table, size_t begin) {
  const size_t end = end_of_room(table, begin);
  for (size_t i = 0; i < data_.size(); i++) {
    GRAPNEL_CHECK(append_column(i, table.columns[i], begin, end));
  }
  rows_ += end - begin;
  return end;
}

/// Also counts the text of the rows that are to be taken.
size_t BatchBuilder::end_of_room(const finish::FinishedTable& table, size_t begin) {
  const size_t most = std::min(table.row_count, begin + (kBatchRows - rows_));
  size_t end = begin;
  for (; end < most && text_bytes_ < kBatchTextBytes; end++) {
    for (const Values& column : table.columns) {
      if (!column.texts.empty()) text_bytes_ += column.texts[end].size();
    }
  }
  return end;
}

Status BatchBuilder::append_column(size_t index, const Values& from, size_t begin, size_t end) {
  Column& column = data_[index];
  append_bits(column.validity, rows_, begin, end, [&](size_t row) {
    column.null_count += from.nulls[row];
    return from.nulls[row] == 0;
  });
  switch (columns_[index].type.kind) {
    case op::TypeKind::boolean:
      append_bits(column.values, rows_, begin, end,
                  [&](size_t row) { return from.integers[row] != 0; });
      return ok_status();
    case op::TypeKind::varchar:
      return append_text(index, from, begin, end);
    case op::TypeKind::real:
      append_fixed<8>(column.values, from.reals, begin, end);
      return ok_status();
    default:
      break;
  }
  switch (column.width_bytes) {
    case 1:
      append_fixed<1>(column.values, from.integers, begin, end);
      break;
    case 2:
      append_fixed<2>(column.values, from.integers, begin, end);
      break;
    case 4:
      append_fixed<4>(column.values, from.integers, begin, end);
      break;
    case 8:
      append_fixed<8>(column.values, from.integers, begin, end);
      break;
    default:
      append_fixed<16>(column.values, from.integers, begin, end);
      break;
  }
  return ok_status();
}

Status BatchBuilder::append_text(size_t index, const Values& from, size_t begin, size_t end) {
  Column& column = data_[index];
  for (size_t row = begin; row < end; row++) {
    const std::string& text = from.texts[row];
    if (!is_utf8(text)) return not_utf8(columns_[index].name);
    column.text += text;
    column.offsets.push_back(static_cast<int32_t>(column.text.size()));
  }
  return ok_status();
}

void BatchBuilder::export_batch(ArrowArray* out) {
  auto top = std::make_unique<ArrayStorage>();
  top->buffers.push_back(nullptr);  // a struct's validity: none of its rows is NULL
  top->children.resize(data_.size());
  for (size_t i = 0; i < data_.size(); i++) {
    Column& column = data_[i];
    auto child = std::make_unique<ArrayStorage>();
    if (column.null_count > 0) {
      child->add_buffer(column.validity.data(), column.validity.size());
    } else {
      child->buffers.push_back(nullptr);
    }
    const bool text = columns_[i].type.kind == op::TypeKind::varchar;
    if (text) {
      child->add_buffer(column.offsets.data(), column.offsets.size() * sizeof(int32_t));
      child->add_buffer(column.text.data(), column.text.size());
    } else {
      child->add_buffer(column.values.data(), column.values.size());
    }
    fill_array(std::move(child), rows_, column.null_count, &top->children[i]);
    column.validity.clear();
    column.values.clear();
    column.text.clear();
    if (text) column.offsets.assign(1, 0);
    column.null_count = 0;
  }
  fill_array(std::move(top), rows_, 0, out);
  rows_ = 0;
  text_bytes_ = 0;
}

}  // namespace grapnel::engine
