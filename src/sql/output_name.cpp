#include "sql/output_name.h"

#include "sql/names.h"

namespace grapnel::sql {

namespace {

using op::Function;

const char* sign_of(Function function) {
  switch (function) {
    case Function::add:
      return " + ";
    case Function::subtract:
      return " - ";
    case Function::multiply:
      return " * ";
    case Function::divide:
      return " / ";
    case Function::integer_divide:
      return " // ";
    case Function::modulo:
      return " % ";
    case Function::equal:
      return " = ";
    case Function::not_equal:
      return " != ";
    case Function::less:
      return " < ";
    case Function::less_equal:
      return " <= ";
    case Function::greater:
      return " > ";
    case Function::greater_equal:
      return " >= ";
    case Function::and_:
      return " AND ";
    default:
      return " OR ";
  }
}

std::string quoted(std::string_view text) {
  std::string result = "'";
  for (char c : text) {
    if (c == '\'') result += '\'';
    result += c;
  }
  return result += '\'';
}

std::string joined(const Syntax& syntax, size_t first, const char* separator) {
  std::string text;
  for (size_t i = first; i < syntax.arguments.size(); i++)
    text += (i > first ? separator : "") + output_name(*syntax.arguments[i]);
  return text;
}

std::string argument(const Syntax& syntax, size_t i) { return output_name(*syntax.arguments[i]); }

std::string interval_name(const Syntax& syntax) {
  std::string text;
  if (syntax.months != 0) text = std::to_string(syntax.months) + " months";
  if (syntax.days != 0 || text.empty())
    text += (text.empty() ? "" : " ") + std::to_string(syntax.days) + " days";
  return "INTERVAL '" + text + "'";
}

std::string operation_name(const Syntax& syntax) {
  if (syntax.function == Function::negate) return "(-(" + argument(syntax, 0) + "))";
  if (syntax.function == Function::not_) return "(NOT " + argument(syntax, 0) + ")";
  return "(" + joined(syntax, 0, sign_of(syntax.function)) + ")";
}

std::string call_name(const Syntax& syntax) {
  if (syntax.text == "count" && (syntax.star_argument || syntax.arguments.empty()))
    return "count_star()";
  return syntax.text + "(" + joined(syntax, 0, ", ") + ")";
}

std::string like_name(const Syntax& syntax) {
  if (syntax.arguments.size() == 2)
    return "(" + joined(syntax, 0, syntax.negated ? " !~~ " : " ~~ ") + ")";
  const std::string like = "like_escape(" + joined(syntax, 0, ", ") + ")";
  return syntax.negated ? "(NOT " + like + ")" : like;
}

std::string negated_if(const Syntax& syntax, const std::string& name) {
  return syntax.negated ? "(NOT " + name + ")" : name;
}

}  // namespace

std::string output_name(const Syntax& syntax) {
  switch (syntax.kind) {
    case SyntaxKind::column:
      return (syntax.qualifier.empty() ? "" : quote_if_needed(syntax.qualifier) + ".") +
             quote_if_needed(syntax.text);
    case SyntaxKind::star:
      return "*";
    case SyntaxKind::number:
    case SyntaxKind::boolean:
      return syntax.text;
    case SyntaxKind::string:
      return quoted(syntax.text);
    case SyntaxKind::null:
      return "NULL";
    case SyntaxKind::interval:
      return interval_name(syntax);
    case SyntaxKind::operation:
      return operation_name(syntax);
    case SyntaxKind::positive:
      return "(+(" + argument(syntax, 0) + "))";
    case SyntaxKind::is_null:
      return "(" + argument(syntax, 0) + (syntax.negated ? " IS NOT NULL)" : " IS NULL)");
    case SyntaxKind::is_boolean:
      return "(" + argument(syntax, 0) + (syntax.negated ? " IS NOT " : " IS ") +
             (syntax.text == "true" ? "TRUE)" : "FALSE)");
    case SyntaxKind::distinct_from:
      return "(" +
             joined(syntax, 0, syntax.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ") +
             ")";
    case SyntaxKind::between:
      return negated_if(syntax, "(" + argument(syntax, 0) + " BETWEEN " + argument(syntax, 1) +
                                    " AND " + argument(syntax, 2) + ")");
    case SyntaxKind::in_list:
      return negated_if(syntax,
                        "(" + argument(syntax, 0) + " IN (" + joined(syntax, 1, ", ") + "))");
    case SyntaxKind::like:
      return like_name(syntax);
    case SyntaxKind::cast:
      return "CAST(" + argument(syntax, 0) + " AS " + syntax.text + ")";
    case SyntaxKind::call:
      return call_name(syntax);
  }
  return "";
}

}  // namespace grapnel::sql
