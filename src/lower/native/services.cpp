#include "lower/native/services.h"

#include <cstring>

#include "op/evaluate.h"
#include "state/double_sum.h"

namespace grapnel::lower::native {
namespace {

std::string_view view(const gr_text& text) {
  return {reinterpret_cast<const char*>(text.position), text.length};
}

/// A key as gr_op handed it over, as a value of its type.
op::Datum key_value(const gr_key_value& key, op::Type type) {
  if (key.is_null != 0) return op::Datum::null();
  if (type.kind == op::TypeKind::varchar) return op::Datum::of_text(view(key.text));
  if (type.kind == op::TypeKind::real) {
    double value;
    memcpy(&value, &key.word, sizeof value);
    return op::Datum::of_real(value);
  }
  return op::Datum::of_integer(static_cast<int64_t>(key.word));
}

uint64_t* find_group(void* context, const gr_key_value* keys) {
  return static_cast<ServiceContext*>(context)->find_group(keys);
}

void extreme_text(void* context, gr_u64* slots, const gr_text* text, gr_u32 is_max) {
  static_cast<ServiceContext*>(context)->extreme_text(slots, view(*text), is_max != 0);
}

gr_u64 like(const gr_text* text, const gr_u8* pattern, gr_u64 pattern_bytes, gr_u32 escape) {
  const std::string_view pattern_text(reinterpret_cast<const char*>(pattern), pattern_bytes);
  return op::like_matches(view(*text), pattern_text, static_cast<char>(escape)) ? 1 : 0;
}

gr_u64 parse_double(const gr_u8* bytes, gr_u64 size, gr_u32 quote, double* value) {
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto quote_char = static_cast<char>(quote);
  if (quote != 0 && size >= 2 && text.front() == quote_char && text.back() == quote_char)
    text = text.substr(1, size - 2);
  *value = 0;
  if (text.empty()) return GR_FLAG_NULL;
  const auto parsed = op::parse_text(text, op::Type::of(op::TypeKind::real));
  if (!parsed) return GR_FLAG_ESCAPE;
  *value = parsed->real;
  return 0;
}

}  // namespace

uint64_t* ServiceContext::find_group(const gr_key_value* keys) {
  key_.clear();
  for (size_t i = 0; i < job_.op->keys.size(); i++) {
    const op::Type type = job_.op->keys[i]->type;
    state::encode_key(key_, key_value(keys[i], type), type);
  }
  return partial_->groups.find_or_insert(key_);
}

void ServiceContext::extreme_text(uint64_t* slots, std::string_view text, bool is_max) {
  // {string number, n}
  state::GroupTable& table = partial_->groups;
  const int order = slots[1] == 0 ? 0 : text.compare(table.string(slots[0]));
  if (slots[1] == 0 || (is_max ? order > 0 : order < 0))
    slots[0] = table.set_string(slots[0], text);
  slots[1]++;
}

const gr_services& services() {
  static constexpr gr_services kServices = {find_group, state::double_sum_add, extreme_text, like,
                                            parse_double};
  return kServices;
}

}  // namespace grapnel::lower::native
