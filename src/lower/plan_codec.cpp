// Byte form of a Plan: little-endian words in declaration order, vectors with a length in front. It
// never leaves the process or its cache key, so there is no versioning beyond kEncoding.
#include <cstring>
#include <type_traits>

#include "lower/plan.h"

namespace grapnel::lower {
namespace {

constexpr uint32_t kEncoding = 1;

class Writer {
 public:
  template <typename T>
  void put(T value) {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
    const auto wide = static_cast<uint64_t>(value);
    bytes_.append(reinterpret_cast<const char*>(&wide), sizeof wide);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  void get(T& value) {
    uint64_t wide = 0;
    if (bytes_.size() < sizeof wide) {
      failed_ = true;
      return;
    }
    memcpy(&wide, bytes_.data(), sizeof wide);
    bytes_.remove_prefix(sizeof wide);
    value = static_cast<T>(wide);
  }
  /// Length of a vector: each element has at least one word, which bounds it.
  size_t length() {
    size_t count = 0;
    get(count);
    if (count > bytes_.size() / sizeof(uint64_t)) failed_ = true;
    return failed_ ? 0 : count;
  }
  [[nodiscard]] bool complete() const { return !failed_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

/// Visits each member of a struct with a reader's or writer's function.
template <typename Self, typename Visit>
void members(Self& node, const Visit& visit)
  requires std::is_same_v<std::remove_const_t<Self>, Node>
{
  visit(node.kind), visit(node.value), visit(node.load_kind), visit(node.a), visit(node.b);
  visit(node.left), visit(node.right), visit(node.low), visit(node.high);
}
template <typename Self, typename Visit>
void members(Self& key, const Visit& visit)
  requires std::is_same_v<std::remove_const_t<Self>, KeyPlan>
{
  visit(key.node), visit(key.kind);
}
template <typename Self, typename Visit>
void members(Self& aggregate, const Visit& visit)
  requires std::is_same_v<std::remove_const_t<Self>, AggregatePlan>
{
  visit(aggregate.kind), visit(aggregate.is_max), visit(aggregate.first_slot),
      visit(aggregate.node);
}
template <typename Self, typename Visit>
void members(Self& field, const Visit& visit)
  requires std::is_same_v<std::remove_const_t<Self>, TableShape::Field>
{
  visit(field.column), visit(field.offset), visit(field.size_bytes), visit(field.is_signed);
}
template <typename Self, typename Visit>
void scalars(Self& plan, const Visit& visit) {
  visit(plan.target), visit(plan.selects), visit(plan.slot_count);
  auto& table = plan.table;
  visit(table.format), visit(table.delimiter), visit(table.quote), visit(table.columns);
  visit(table.delimiters), visit(table.record_bytes);
}

}  // namespace

std::string Plan::encode() const {
  Writer out;
  const auto put = [&out](const auto& value) { out.put(value); };
  const auto put_all = [&](const auto& list) {
    out.put(list.size());
    for (const auto& element : list) members(element, put);
  };
  out.put(kEncoding);
  scalars(*this, put);
  put_all(table.fields);
  put_all(nodes);
  put_all(keys);
  put_all(aggregates);
  out.put(filter_stages.size());
  for (const auto& stage : filter_stages) {
    out.put(stage.size());
    for (uint32_t node : stage) out.put(node);
  }
  out.put(parameters.size());
  for (const Parameter& parameter : parameters) out.put(parameter.kind);
  return out.take();
}

Result<Plan> Plan::decode(std::string_view bytes) {
  Plan plan;
  Reader in(bytes);
  const auto get = [&in](auto& value) { in.get(value); };
  const auto get_all = [&](auto& list) {
    list.resize(in.length());
    for (auto& element : list) members(element, get);
  };
  uint32_t encoding = 0;
  in.get(encoding);
  scalars(plan, get);
  get_all(plan.table.fields);
  get_all(plan.nodes);
  get_all(plan.keys);
  get_all(plan.aggregates);
  plan.filter_stages.resize(in.length());
  for (auto& stage : plan.filter_stages) {
    stage.resize(in.length());
    for (uint32_t& node : stage) in.get(node);
  }
  plan.parameters.resize(in.length());
  for (Parameter& parameter : plan.parameters) in.get(parameter.kind);
  if (!in.complete() || encoding != kEncoding)
    return Error{ErrorKind::internal, "the plan given to the compiler is damaged", ""};
  return plan;
}

gr_parameters Plan::parameter_block() const {
  gr_parameters block{};
  size_t used = 0;
  for (size_t i = 0; i < parameters.size(); i++) {
    const Parameter& parameter = parameters[i];
    switch (parameter.kind) {
      case Parameter::Kind::integer:
        block.word[i] = static_cast<gr_u64>(parameter.integer);
        break;
      case Parameter::Kind::real:
        memcpy(&block.word[i], &parameter.real, sizeof parameter.real);
        break;
      case Parameter::Kind::text:
        block.word[i] = uint64_t{used} << 32 | parameter.text.size();
        memcpy(block.text + used, parameter.text.data(), parameter.text.size());
        used += (parameter.text.size() + 7) & ~size_t{7};
        break;
    }
  }
  return block;
}

}  // namespace grapnel::lower
