#include "source/locate.h"

#include <algorithm>

namespace grapnel::source {
namespace {

thread_local unsigned line_numbers_forbidden = 0;

constexpr uint64_t kCountedBytes = uint64_t{16} << 30;

void append_escaped(std::string& out, unsigned char byte) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\'':
      out += "\\'";
      return;
    default:
      break;
  }
  if (byte >= 0x20 && byte != 0x7f) {
    out.push_back(static_cast<char>(byte));
    return;
  }
  out += "\\x";
  out.push_back(kHex[byte >> 4]);
  out.push_back(kHex[byte & 15]);
}

/// Size of the well-formed UTF-8 character that `text` begins with, or 0.
size_t utf8_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t size = lead < 0x80                   ? 1
                      : lead >= 0xc2 && lead < 0xe0 ? 2
                      : lead >= 0xe0 && lead < 0xf0 ? 3
                      : lead >= 0xf0 && lead < 0xf5 ? 4
                                                    : 0;
  if (size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  return size;
}

}  // namespace

NoLineNumbers::NoLineNumbers() { line_numbers_forbidden++; }
NoLineNumbers::~NoLineNumbers() { line_numbers_forbidden--; }

std::optional<uint64_t> line_number(const Source& source, uint64_t offset) {
  if (offset > kCountedBytes || line_numbers_forbidden > 0) return std::nullopt;
  uint64_t lines = 1;
  uint64_t seen = 0;
  const Status read = read_through(source, 0, offset, [&](std::string_view bytes) {
    lines += static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    seen += bytes.size();
  });
  if (!read.ok() || seen < offset) return std::nullopt;
  return lines;
}

std::string place(const Source& source, uint64_t offset) {
  std::string text = source.path;
  if (source.layout.format == Format::fixed && source.layout.record_bytes > 0) {
    text += ", record " + std::to_string(offset / source.layout.record_bytes + 1);
  } else if (const auto line = line_number(source, offset)) {
    text += ", line " + std::to_string(*line);
  }
  return text + ", byte offset " + std::to_string(offset);
}

Error quote_error(const Source& source, uint64_t offset, std::string_view record,
                  const QuoteFault& fault) {
  return Error{ErrorKind::data,
               place(source, offset + fault.position) + ": " + fault.problem + ": " +
                   printable(record.substr(fault.position)),
               "a quote may stand only around a whole field, doubled inside it (not after a "
               "backslash); if quotes mean nothing in this file, say csv('" +
                   source.path + "', quote => '')"};
}

std::string printable(std::string_view text, size_t max_bytes) {
  std::string out = "'";
  size_t at = 0;
  while (at < text.size() && at < max_bytes) {
    const size_t size = utf8_size(text.substr(at));
    if (size > 1) {
      out.append(text.substr(at, size));
    } else if (size == 1) {
      append_escaped(out, static_cast<unsigned char>(text[at]));
    } else {  // not UTF-8: show the byte
      static constexpr char kHex[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(text[at]);
      out += "\\x";
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
    at += std::max<size_t>(size, 1);
  }
  out += "'";
  if (at < text.size()) out += "... (" + std::to_string(text.size()) + " bytes)";
  return out;
}

}  // namespace grapnel::source
