#include <cstring>

#include "op/evaluate.h"

namespace grapnel::op {

namespace {

/// Bytes of the code point at `position`; a byte that begins none counts as one.
size_t code_point_bytes(std::string_view text, size_t position) {
  const auto lead = static_cast<unsigned char>(text[position]);
  const size_t expected = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  size_t size = 1;
  while (size < expected && position + size < text.size() &&
         (static_cast<unsigned char>(text[position + size]) & 0xC0) == 0x80)
    size++;
  return size;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// The pattern's bytes from `from` on that stand for themselves.
std::string_view literal_run(std::string_view pattern, size_t from, char escape) {
  size_t end = from;
  while (end < pattern.size() && pattern[end] != '%' && pattern[end] != '_' &&
         (escape == '\0' || pattern[end] != escape))
    end++;
  return pattern.substr(from, end - from);
}

/// Where `bytes` is next in the text, from `from` on; npos: nowhere. What begins with a
/// continuation byte could be found inside a code point, where a match must not begin: that is left
/// to the caller's own comparison.
size_t next_place(std::string_view text, size_t from, std::string_view bytes) {
  if (bytes.empty() || is_continuation(bytes.front())) return from;
  const void* found = memmem(text.data() + from, text.size() - from, bytes.data(), bytes.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace

bool like_matches(std::string_view text, std::string_view pattern, char escape) {
  constexpr size_t kNone = std::string_view::npos;
  size_t at = 0;
  size_t next = 0;  // in the pattern
  // After the last %: where to take the pattern up again, the literal bytes there, and the text
  // position to try it from.
  size_t retry_next = kNone;
  size_t retry_at = 0;
  std::string_view retry_literal;
  while (true) {
    const bool pattern_done = next == pattern.size();
    if (at == text.size() && pattern_done) return true;
    if (!pattern_done) {
      char wanted = pattern[next];
      size_t pattern_bytes = 1;
      const bool escaped = escape != '\0' && wanted == escape;
      if (escaped) {
        if (next + 1 == pattern.size()) return false;  // the binder refuses such patterns
        wanted = pattern[next + 1];
        pattern_bytes = 2;
      }
      if (!escaped && wanted == '%') {
        retry_next = ++next;
        if (retry_next == pattern.size()) return true;
        retry_literal = literal_run(pattern, retry_next, escape);
        retry_at = next_place(text, at, retry_literal);
        if (retry_at == kNone) return false;
        at = retry_at;
        continue;
      }
      if (at < text.size()) {
        if (!escaped && wanted == '_') {
          at += code_point_bytes(text, at);
          next++;
          continue;
        }
        if (text[at] == wanted) {
          at++;
          next += pattern_bytes;
          continue;
        }
      }
    }
    if (retry_next == kNone || retry_at >= text.size()) return false;
    // The run of the last % takes one code point more, or as many as lead to the next candidate.
    retry_at = next_place(text, retry_at + code_point_bytes(text, retry_at), retry_literal);
    if (retry_at == kNone) return false;
    at = retry_at;
    next = retry_next;
  }
}

}  // namespace grapnel::op
