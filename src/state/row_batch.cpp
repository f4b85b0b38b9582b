#include <algorithm>
#include <numeric>

#include "state/partial.h"

namespace grapnel::state {

namespace {

using RowColumn = RowBatch::RowColumn;

template <typename T>
void move_to_end(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

template <typename T>
void rearrange(std::vector<T>& values, const std::vector<size_t>& order) {
  if (values.empty()) return;  // not the member that this column uses
  std::vector<T> arranged;
  arranged.reserve(values.size());
  for (size_t row : order) arranged.push_back(std::move(values[row]));
  values = std::move(arranged);
}

template <typename T>
void cut(std::vector<T>& values, size_t count) {
  if (values.size() > count) values.resize(count);
}

}  // namespace

void RowColumn::append(const op::Datum& value, op::Type type) {
  nulls.push_back(value.is_null ? 1 : 0);
  switch (type.kind) {
    case op::TypeKind::real:
      reals.push_back(value.is_null ? 0 : value.real);
      break;
    case op::TypeKind::varchar:
      texts.emplace_back(value.is_null ? std::string_view{} : value.text);
      break;
    default:
      integers.push_back(value.is_null ? 0 : value.integer);
      break;
  }
}

void RowColumn::resize(size_t count, op::Type type) {
  nulls.resize(count, 1);
  switch (type.kind) {
    case op::TypeKind::real:
      reals.resize(count);
      break;
    case op::TypeKind::varchar:
      texts.resize(count);
      break;
    default:
      integers.resize(count);
      break;
  }
}

void RowColumn::set(size_t row, const op::Datum& value, op::Type type) {
  nulls[row] = value.is_null ? 1 : 0;
  if (value.is_null) return;
  switch (type.kind) {
    case op::TypeKind::real:
      reals[row] = value.real;
      break;
    case op::TypeKind::varchar:
      texts[row].assign(value.text);
      break;
    default:
      integers[row] = value.integer;
      break;
  }
}

op::Datum RowColumn::value(size_t row, op::Type type) const {
  if (nulls[row] != 0) return op::Datum::null();
  switch (type.kind) {
    case op::TypeKind::real:
      return op::Datum::of_real(reals[row]);
    case op::TypeKind::varchar:
      return op::Datum::of_text(texts[row]);
    default:
      return op::Datum::of_integer(integers[row]);
  }
}

void RowBatch::append(uint64_t file_offset, std::span<const op::Datum> values,
                      const std::vector<op::ExprPtr>& outputs) {
  if (columns.size() < outputs.size()) columns.resize(outputs.size());
  file_offsets.push_back(file_offset);
  for (size_t i = 0; i < outputs.size(); i++) {
    columns[i].append(values[i], outputs[i]->type);
    if (!values[i].is_null) text_bytes += values[i].text.size();
  }
}

op::Datum RowBatch::value(size_t row, size_t column, op::Type type) const {
  return columns[column].value(row, type);
}

void RowBatch::append_all(RowBatch&& other) {
  if (other.size() == 0) return;
  if (size() == 0) {
    *this = std::move(other);
    other = {};
    return;
  }
  move_to_end(file_offsets, other.file_offsets);
  for (size_t i = 0; i < columns.size(); i++) {
    move_to_end(columns[i].integers, other.columns[i].integers);
    move_to_end(columns[i].reals, other.columns[i].reals);
    move_to_end(columns[i].texts, other.columns[i].texts);
    move_to_end(columns[i].nulls, other.columns[i].nulls);
  }
  text_bytes += other.text_bytes;
  other = {};
}

void RowBatch::sort_by_offset() {
  if (std::is_sorted(file_offsets.begin(), file_offsets.end())) return;
  std::vector<size_t> order(size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [this](size_t a, size_t b) { return file_offsets[a] < file_offsets[b]; });
  rearrange(file_offsets, order);
  for (RowColumn& column : columns) {
    rearrange(column.integers, order);
    rearrange(column.reals, order);
    rearrange(column.texts, order);
    rearrange(column.nulls, order);
  }
}

void RowBatch::truncate(size_t count) {
  if (count >= size()) return;
  cut(file_offsets, count);
  for (RowColumn& column : columns) {
    for (size_t row = count; row < column.texts.size(); row++)
      text_bytes -= column.texts[row].size();
    cut(column.integers, count);
    cut(column.reals, count);
    cut(column.texts, count);
    cut(column.nulls, count);
  }
}

size_t RowBatch::memory_bytes() const {
  size_t bytes = file_offsets.capacity() * sizeof(uint64_t) + text_bytes;
  for (const RowColumn& column : columns) {
    bytes += column.integers.capacity() * sizeof(Int128) +
             column.reals.capacity() * sizeof(double) +
             column.texts.capacity() * sizeof(std::string) + column.nulls.capacity();
  }
  return bytes;
}

}  // namespace grapnel::state
