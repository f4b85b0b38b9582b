// Expression trees -> nodes of a Plan. Internal to src/lower.
#pragma once

#include <string>
#include <string_view>

#include "lower/plan.h"

namespace grapnel::lower {

/// Adds expressions to a plan. Equal subexpressions become one node. Once something cannot be
/// lowered the builder goes on with dummies and keeps the first reason.
class PlanBuilder {
 public:
  PlanBuilder(Plan& plan, const source::Layout& layout);

  uint32_t add(const op::Expr& expr);
  /// Empty as long as all could be lowered.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  void refuse(std::string reason);

 private:
  using Bounds = op::ValueRange;

  uint32_t intern(Node node);
  uint32_t make(NodeKind kind, ValueClass value, uint32_t left = 0, uint32_t right = 0,
                uint32_t a = 0);
  uint32_t integer(NodeKind kind, uint32_t left, uint32_t right, Bounds exact, uint32_t a = 0);
  uint32_t within(uint32_t node, op::Type type);

  uint32_t column(const op::Expr& expr);
  uint32_t load(uint32_t column, op::Type type, LoadKind kind, uint32_t detail, Bounds bounds);
  uint32_t constant(const op::Expr& expr);
  uint32_t parameter(Parameter value, ValueClass value_class, Bounds bounds);
  uint32_t text_parameter(std::string_view text);
  uint32_t date_order_parameter(int64_t days);

  uint32_t arithmetic(const op::Expr& expr);
  uint32_t real_arithmetic(const op::Expr& expr);
  uint32_t negate(const op::Expr& expr);
  uint32_t cast(const op::Expr& expr);
  uint32_t rescale(uint32_t node, int from, int to);
  uint32_t compare(op::Function function, const op::Expr& left, const op::Expr& right);
  /// Of two nodes that are there already.
  uint32_t comparison(op::Function function, uint32_t a, uint32_t b);
  uint32_t compare_text(op::Function function, const op::Expr& left, const op::Expr& right);
  bool is_date_field(const op::Expr& expr) const;
  uint32_t in_list(const op::Expr& expr);
  uint32_t like(const op::Expr& expr);
  uint32_t connect(NodeKind kind, const op::Expr& expr);

  Plan& plan_;
  const source::Layout& layout_;
  std::string refusal_;
};

}  // namespace grapnel::lower
