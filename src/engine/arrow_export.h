// Results as Arrow C data: a struct array of columns per batch, built value by value.
//
//   BOOLEAN b   TINYINT c   SMALLINT s   INTEGER i   BIGINT l   UTINYINT C ... UBIGINT L
//   HUGEINT d:38,0   DECIMAL(p,s) d:p,s   DOUBLE g   VARCHAR u   DATE tdD
//
// HUGEINT has no type in Arrow. Its values travel as 128-bit decimals of scale 0, where the rare
// one of 39 digits keeps its bits although it is beyond the precision that the type names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "finish/finish.h"
#include "grapnel/arrow_c_abi.h"
#include "op/query.h"

namespace grapnel::engine {

/// Rows and bytes of text after which a batch is full. The second bounds what one batch can weigh,
/// since a single text may have 32 MB.
inline constexpr size_t kBatchRows = 65'536;
inline constexpr size_t kBatchTextBytes = 16 << 20;

/// Bytes of a value; 0 for booleans (bits) and text.
uint32_t value_bytes(op::Type type);

/// Fills `*out`, which the caller releases.
void export_schema(const std::vector<op::OutputColumn>& columns, ArrowSchema* out);

/// Collects rows until they are exported. Not thread-safe.
class BatchBuilder {
 public:
  /// `columns` must outlive the builder.
  explicit BatchBuilder(const std::vector<op::OutputColumn>& columns);

  /// Appends rows of `table`, whose schema is the builder's, from `begin` on: up to its end, or
  /// until the batch is full. Returns the row after the last one taken. ErrorKind::data for text
  /// that is not UTF-8, which Arrow demands; the builder is then good for nothing.
  Result<size_t> append_rows(const finish::FinishedTable& table, size_t begin);
  [[nodiscard]] size_t rows() const { return rows_; }
  [[nodiscard]] bool full() const { return rows_ >= kBatchRows || text_bytes_ >= kBatchTextBytes; }
  /// Moves the rows into `*out`, which the caller releases, and is empty again.
  void export_batch(ArrowArray* out);

 private:
  using Values = state::RowBatch::RowColumn;
  struct Column {
    uint32_t width_bytes = 0;  ///< of a fixed-width value; 0: booleans and text
    std::vector<uint8_t> validity;
    std::vector<uint8_t> values;   ///< fixed width, or a bit each
    std::vector<int32_t> offsets;  ///< text
    std::string text;
    int64_t null_count = 0;
  };
  size_t end_of_room(const finish::FinishedTable& table, size_t begin);
  Status append_column(size_t index, const Values& from, size_t begin, size_t end);
  Status append_text(size_t index, const Values& from, size_t begin, size_t end);

  const std::vector<op::OutputColumn>& columns_;
  std::vector<Column> data_;
  size_t rows_ = 0;
  size_t text_bytes_ = 0;
};

}  // namespace grapnel::engine
