// The op, made ready for code generation: a flat graph of nodes in which every decision has been
// taken that does not need a compiler. Made without LLVM; also the place that says in words what a
// target cannot do.
//
//   Job -> make_plan -> Plan -+-> encode() -> cache key, and input of the compiler plugin
//                             +-> parameters -> gr_parameters, at run time
//
// Constants of the query become parameters: two queries that differ in them only have equal
// encodings and so share one compiled object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lower/op_abi.h"
#include "program/program.h"

namespace grapnel::lower {

enum class Target : uint8_t { native, bpf };

/// Nodes of a plan for BPF: what is held between them lies in memory of a fixed size.
inline constexpr size_t kMostBpfNodes = 256;

/// What a node's value is in generated code.
enum class ValueClass : uint8_t {
  integer,  ///< one 64-bit word: integers, scaled decimals, dates; what does not fit escapes
  boolean,
  real,  ///< native only
  text,
};

enum class NodeKind : uint8_t {
  load,       ///< field `a`; by `load_kind`
  parameter,  ///< parameter `a`
  null,       ///< NULL of the class

  // integer; the result escapes when it leaves 64 bits
  add,
  subtract,
  multiply,
  divide,  ///< rounds toward zero; escapes for divisor 0
  modulo,  ///< escapes for divisor 0
  negate,
  check_range,   ///< escapes outside [low, high]
  scale_up,      ///< x 10^a
  scale_down,    ///< / 10^a, half away from zero
  from_boolean,  ///< 0 or 1

  // real
  real_add,
  real_subtract,
  real_multiply,
  real_divide,
  real_negate,
  to_real,  ///< integer with scale `a`

  // boolean
  equal,  ///< of two values of one class, as the other comparisons
  not_equal,
  less,
  less_equal,
  text_equal,  ///< text against text parameter `a`
  text_starts_with,
  text_ends_with,
  text_contains,
  text_like,   ///< pattern parameter `a`, escape character `b`
  is_nonzero,  ///< integer -> boolean
  and_,        ///< Kleene, two arguments
  or_,
  not_,
  is_null,
};

enum class LoadKind : uint8_t {
  integer,
  decimal,  ///< precision `b` / 256, scale `b` % 256
  date,
  date_order,  ///< the comparison key of gr_load_date_order
  boolean,
  real,
  text,
};

struct Node {
  NodeKind kind = NodeKind::null;
  ValueClass value = ValueClass::integer;
  LoadKind load_kind = LoadKind::integer;
  uint32_t a = 0;
  uint32_t b = 0;
  /// Arguments: numbers of earlier nodes.
  uint32_t left = 0;
  uint32_t right = 0;
  /// Integer class: bounds that hold for every value that did not escape.
  int64_t low = INT64_MIN;
  int64_t high = INT64_MAX;

  friend bool operator==(const Node&, const Node&) = default;
};

struct KeyPlan {
  uint32_t node = 0;
  gr_key_kind kind = GR_KEY_INT64;
};

struct AggregatePlan {
  state::SlotKind kind = state::SlotKind::none;
  bool is_max = false;
  uint32_t first_slot = 0;
  uint32_t node = 0;  ///< none for SlotKind::none
};

/// What the template needs to know about the table; see gr_shape_item.
struct TableShape {
  source::Format format = source::Format::csv;
  uint8_t delimiter = 0;
  uint8_t quote = 0;
  uint32_t columns = 0;
  uint32_t delimiters = 0;
  uint32_t record_bytes = 0;
  struct Field {
    uint32_t column = 0;
    uint32_t offset = 0;      ///< fixed
    uint32_t size_bytes = 0;  ///< fixed
    bool is_signed = true;    ///< fixed
  };
  std::vector<Field> fields;  ///< needed ones, ascending
};

/// A constant, by where generated code finds it.
struct Parameter {
  enum class Kind : uint8_t { integer, real, text };
  Kind kind = Kind::integer;
  int64_t integer = 0;  ///< integer; a date's order key if it is compared in that form
  double real = 0;
  std::string text;
};

struct Plan {
  Target target = Target::native;
  TableShape table;
  std::vector<Node> nodes;
  /// Conjuncts of the filter in stages: a record that a stage rejects is not looked at further.
  /// Within a stage nothing branches (on native: nothing that depends on the data's values).
  std::vector<std::vector<uint32_t>> filter_stages;
  bool selects = false;  ///< row query: gr_op is only the filter
  std::vector<KeyPlan> keys;
  std::vector<AggregatePlan> aggregates;
  uint32_t slot_count = 0;
  std::vector<Parameter> parameters;

  /// All that shapes the code (not the values of parameters), as bytes: equal exactly if the
  /// generated code is.
  [[nodiscard]] std::string encode() const;
  /// Reads what encode() wrote; `parameters` gets kinds only. ErrorKind::internal if it is cut off.
  static Result<Plan> decode(std::string_view bytes);
  /// The constants as generated code reads them.
  [[nodiscard]] gr_parameters parameter_block() const;
};

/// Plans the op of `job` for `target`. ErrorKind::hook with the reason in words that a user
/// understands ("sum over DOUBLE needs floating point, which BPF has not") if it cannot be lowered.
Result<Plan> make_plan(const program::Job& job, Target target);

/// Empty if the job can be lowered, else the reason.
std::string why_not_lowerable(const program::Job& job, Target target);

}  // namespace grapnel::lower
