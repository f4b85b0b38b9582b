#include "sql/names.h"

#include <algorithm>
#include <numeric>

namespace grapnel::sql {

namespace {

/// Levenshtein distance, or `most` + 1 if it is greater.
size_t edit_distance(std::string_view a, std::string_view b, size_t most) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > most) return most + 1;
  std::vector<size_t> row(a.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t j = 1; j <= b.size(); j++) {
    size_t diagonal = row[0];
    row[0] = j;
    for (size_t i = 1; i <= a.size(); i++) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[i];
      row[i] = std::min({row[i] + 1, row[i - 1] + 1, replaced});
    }
  }
  return std::min(row[a.size()], most + 1);
}

std::string joined(const std::vector<std::string>& names, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), most); i++)
    text += (i > 0 ? ", " : "") + quote_if_needed(names[i]);
  return names.size() > most ? text + ", ..." : text;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool same_name(std::string_view a, std::string_view b) { return lower(a) == lower(b); }

std::string identifier_name(std::string_view token) {
  if (token.empty() || token[0] != '"') return std::string(token);
  std::string name;
  for (size_t i = 1; i + 1 < token.size(); i++) {
    name += token[i];
    if (token[i] == '"') i++;  // doubled
  }
  return name;
}

std::string quote_if_needed(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool starts_with_digit = !name.empty() && name[0] >= '0' && name[0] <= '9';
  if (!name.empty() && !starts_with_digit && std::all_of(name.begin(), name.end(), is_plain))
    return std::string(name);
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

std::string near_names_hint(std::string_view name, const std::vector<std::string>& known) {
  constexpr size_t kLongestName = 200;  // the distance costs the product of the lengths
  const std::string wanted = lower(name.substr(0, kLongestName));
  const size_t most = std::max(wanted.size() / 3, std::min<size_t>(1, wanted.size() / 2));
  std::vector<std::pair<size_t, size_t>> near;  // distance, index
  for (size_t i = 0; i < known.size(); i++) {
    const std::string candidate = lower(known[i]);
    size_t distance = edit_distance(wanted, candidate, most);
    // Columns often share a prefix that people forget: shipdate for l_shipdate.
    if (wanted.size() >= 3 && candidate.find(wanted) != std::string::npos) distance = 1;
    if (distance <= most) near.emplace_back(distance, i);
  }
  std::sort(near.begin(), near.end());
  if (near.empty()) return "there are " + joined(known, 8);
  std::vector<std::string> names;
  names.reserve(near.size());
  for (const auto& [distance, index] : near) names.push_back(known[index]);
  return "did you mean " + joined(names, 3) + "?";
}

}  // namespace grapnel::sql
