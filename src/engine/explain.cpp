#include "engine/explain.h"

#include "engine/statistics.h"

#include <cstdio>

namespace grapnel::engine {
namespace {

constexpr size_t kLabelWidth = 12;

/// Collects "label       text"; further lines of a text stand below its first one.
class PlanText {
 public:
  void add(std::string label, std::string_view text) {
    label.resize(kLabelWidth, ' ');
    while (!text.empty()) {
      const size_t end = text.find('\n');
      lines_.push_back(label + std::string(text.substr(0, end)));
      label.assign(kLabelWidth, ' ');
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

std::vector<std::string> column_names(const source::Source& source) {
  std::vector<std::string> names;
  names.reserve(source.layout.columns.size());
  for (const auto& column : source.layout.columns) names.push_back(column.name);
  return names;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string expressions_text(const std::vector<op::ExprPtr>& expressions,
                             const std::vector<std::string>& names) {
  std::vector<std::string> parts;
  parts.reserve(expressions.size());
  for (const auto& expression : expressions) parts.push_back(expression->to_string(&names));
  return joined(parts);
}

std::string aggregate_text(const op::Aggregate& aggregate, const std::vector<std::string>& names) {
  const std::string argument = aggregate.argument ? aggregate.argument->to_string(&names) : "*";
  const char* function = "count";
  switch (aggregate.kind) {
    case op::AggregateKind::count_rows:
    case op::AggregateKind::count:
      break;
    case op::AggregateKind::sum:
      function = "sum";
      break;
    case op::AggregateKind::min:
      function = "min";
      break;
    case op::AggregateKind::max:
      function = "max";
      break;
  }
  return std::string(function) + "(" + argument + ") " + aggregate.type.to_string();
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%", 100 * share);
  return text;
}

void add_op(PlanText& plan, const Prepared& prepared, const std::vector<std::string>& names) {
  const op::Op& op = prepared.query.op;
  std::string filter;
  for (const auto& estimate : prepared.estimate.conjuncts) {
    filter += (filter.empty() ? "" : "\n") + estimate.conjunct->to_string(&names);
    if (prepared.estimate.sampled_records > 0) {
      filter += "   (passes " + percent(estimate.selectivity) + " of a sample)";
    }
  }
  plan.add("filter", filter);
  if (!op.aggregating) {
    plan.add("output", expressions_text(op.outputs, names));
    return;
  }
  plan.add("group by", expressions_text(op.keys, names));
  std::vector<std::string> aggregates;
  aggregates.reserve(op.aggregates.size());
  for (const auto& aggregate : op.aggregates)
    aggregates.push_back(aggregate_text(aggregate, names));
  plan.add("aggregate", joined(aggregates));
}

/// Expressions after the merge count results: keys first, then aggregates (or the row's outputs).
std::vector<std::string> result_names(const op::Op& op, const std::vector<std::string>& names) {
  std::vector<std::string> results;
  results.reserve(op.keys.size() + op.aggregates.size() + op.outputs.size());
  for (const auto& key : op.keys) results.push_back(key->to_string(&names));
  for (const auto& aggregate : op.aggregates) results.push_back(aggregate_text(aggregate, names));
  if (!op.aggregating) {
    for (const auto& output : op.outputs) results.push_back(output->to_string(&names));
  }
  return results;
}

void add_finish(PlanText& plan, const Prepared& prepared, const std::vector<std::string>& names) {
  const op::Finish& finish = prepared.query.finish;
  const auto results = result_names(prepared.query.op, names);
  if (finish.having) plan.add("having", finish.having->to_string(&results));
  std::vector<std::string> order;
  order.reserve(finish.order_by.size());
  for (const auto& key : finish.order_by) {
    order.push_back(key.expression->to_string(&results) + (key.descending ? " DESC" : "") +
                    (key.nulls_first ? " NULLS FIRST" : ""));
  }
  plan.add("order by", joined(order));
  if (finish.limit) {
    plan.add("limit", std::to_string(*finish.limit) +
                          (finish.offset > 0 ? " after " + std::to_string(finish.offset) : ""));
  }
}

std::string seconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 1 ? "%.3g ms" : "%.3g s",
                value < 1 ? value * 1e3 : value);
  return text;
}

std::string megabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g MB", bytes / 1e6);
  return text;
}

/// "wall      0.21 s   0.25 s   +19 %"
std::string compared(const char* name, double predicted, double measured,
                     std::string (*text)(double)) {
  char line[128];
  std::snprintf(line, sizeof line, "%-10s %10s -> %10s", name, text(predicted).c_str(),
                text(measured).c_str());
  if (predicted <= 0) return line;
  char off[32];
  std::snprintf(off, sizeof off, "  %+.0f %%", 100 * (measured / predicted - 1));
  return std::string(line) + off;
}

/// What the chooser expected of the hooks that it took, term by term, beside what came of it.
std::string comparison(const Prepared& prepared, const api::Statistics& measured) {
  const hooks::Cost& cost = prepared.decision.cost;
  double cpu = measured.stitched.cpu_seconds;
  double load = 0;
  double device = 0;
  for (const auto& hook : measured.hooks) {
    cpu += hook.cpu_seconds;
    load += hook.load_seconds;
    device += static_cast<double>(hook.device_bytes);
  }
  return compared("scan", cost.wall_seconds, measured.wall_seconds, seconds) + "\n" +
         compared("CPU", cost.cpu_seconds, cpu, seconds) + "\n" +
         compared("device", static_cast<double>(cost.device_bytes), device, megabytes) + "\n" +
         compared("setting up", prepared.decision.setup_seconds, load, seconds);
}

}  // namespace

std::vector<std::string> explain(const Prepared& prepared, const api::Statistics* measured) {
  const source::Source& source = *prepared.job->source;
  const auto names = column_names(source);
  PlanText plan;
  plan.add("table", source::describe(source));
  add_op(plan, prepared, names);
  add_finish(plan, prepared, names);
  plan.add("program", short_name(*prepared.program) + " (" + prepared.program_note + ")");
  plan.add("hook", prepared.decision.reason);
  plan.add("hooks", choose::to_text(prepared.decision));
  if (prepared.place)
    plan.add("place", (prepared.place->ship ? "shipped: " : "pushed: ") + prepared.place->why);
  plan.add("threads", std::to_string(prepared.threads));
  if (measured != nullptr) {
    plan.add("measured", measured->to_text());
    plan.add("predicted", comparison(prepared, *measured));
  }
  return plan.take();
}

}  // namespace grapnel::engine
