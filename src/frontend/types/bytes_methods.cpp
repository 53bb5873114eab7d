// Methods of bytes, and the text encodings: UTF-8, ASCII and Latin-1.
#include <algorithm>

#include "frontend/string_literals.h"
#include "frontend/types/methods.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::Bytes;
using runtime::make;

namespace {

// ---- encodings ----

enum class Encoding { Utf8, Ascii, Latin1 };
enum class OnError { Strict, Ignore, Replace };
struct Codec {
  Encoding encoding = Encoding::Utf8;
  OnError on_error = OnError::Strict;
  const char* name = "utf-8";
};

Codec codec_of(const Arguments& a, std::string_view function) {
  check_keywords(a, function, {"encoding", "errors"});
  check_arguments({a.positional, {}, {}}, function, 0, 2);
  const Value* encoding = a.positional.empty() ? keyword(a, "encoding") : &a.positional[0];
  const Value* errors = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "errors");
  Codec codec;
  if (encoding) {
    std::string name;
    for (char c : runtime::text_of(*encoding, "encoding"))
      name += c == '_' || c == ' ' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (name == "utf-8" || name == "utf8")
      codec = {};
    else if (name == "ascii" || name == "us-ascii")
      codec = {Encoding::Ascii, OnError::Strict, "ascii"};
    else if (name == "latin-1" || name == "latin1" || name == "iso-8859-1")
      codec = {Encoding::Latin1, OnError::Strict, "latin-1"};
    else
      throw Error(ErrorClass::LookupError, "unknown encoding: " + runtime::text_of(*encoding, "encoding"))
          .with_hint("utf-8, ascii and latin-1 are supported");
  }
  if (errors) {
    const std::string& name = runtime::text_of(*errors, "errors");
    if (name == "ignore")
      codec.on_error = OnError::Ignore;
    else if (name == "replace")
      codec.on_error = OnError::Replace;
    else if (name != "strict")
      throw Error(ErrorClass::LookupError, "unknown error handler name '" + name + "'");
  }
  return codec;
}

std::string escaped(std::uint32_t c) {
  char text[16];
  std::snprintf(text, sizeof text, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
  return text;
}

// Length of the valid UTF-8 sequence at `at`; 0 when there is none.
std::size_t valid_length(std::string_view data, std::size_t at) {
  auto c = static_cast<unsigned char>(data[at]);
  std::size_t length = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
  if (!length || at + length > data.size()) return 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((static_cast<unsigned char>(data[at + k]) & 0xc0) != 0x80) return 0;
  auto next = length > 1 ? static_cast<unsigned char>(data[at + 1]) : 0;
  bool bad =
      (c == 0xe0 && next < 0xa0) || (c == 0xed && next >= 0xa0) || (c == 0xf0 && next < 0x90) || (c == 0xf4 && next >= 0x90);
  return bad ? 0 : length;
}

}  // namespace

Value encode_text(const std::string& text, const Arguments& a) {
  Codec codec = codec_of(a, "encode");
  if (codec.encoding == Encoding::Utf8) return make<Bytes>(text);
  const std::uint32_t limit = codec.encoding == Encoding::Ascii ? 128 : 256;
  std::string data;
  std::size_t position = 0, length = 0;
  for (std::size_t i = 0; i < text.size(); i += length, ++position) {
    auto lead = static_cast<unsigned char>(text[i]);
    length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t c = code_point(std::string_view(text).substr(i, length));
    if (c < limit)
      data += static_cast<char>(c);
    else if (codec.on_error == OnError::Replace)
      data += '?';
    else if (codec.on_error == OnError::Strict)
      throw Error(ErrorClass::UnicodeEncodeError, std::string("'") + codec.name + "' codec can't encode character '" +
                                                      escaped(c) + "' in position " + std::to_string(position) +
                                                      ": ordinal not in range(" + std::to_string(limit) + ")");
  }
  return make<Bytes>(std::move(data));
}

Value decode_bytes(const std::string& data, const Arguments& a) {
  Codec codec = codec_of(a, "decode");
  std::string text;
  for (std::size_t i = 0; i < data.size();) {
    auto byte = static_cast<unsigned char>(data[i]);
    std::size_t length = codec.encoding == Encoding::Utf8 ? valid_length(data, i) : 1;
    bool good = codec.encoding == Encoding::Utf8 ? length > 0 : codec.encoding == Encoding::Latin1 || byte < 128;
    if (good && codec.encoding == Encoding::Utf8) text += data.substr(i, length);
    if (good && codec.encoding != Encoding::Utf8) append_utf8(text, byte);
    if (!good && codec.on_error == OnError::Replace) append_utf8(text, 0xfffd);
    if (!good && codec.on_error == OnError::Strict) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "0x%02x", byte);
      bool starts = byte >= 0xc2 && byte < 0xf5;
      const char* reason = codec.encoding == Encoding::Ascii ? "ordinal not in range(128)"
                           : starts && i + 1 == data.size()  ? "unexpected end of data"
                           : starts                          ? "invalid continuation byte"
                                                             : "invalid start byte";
      throw Error(ErrorClass::UnicodeDecodeError, std::string("'") + codec.name + "' codec can't decode byte " + hex +
                                                      " in position " + std::to_string(i) + ": " + reason);
    }
    i += good ? length : 1;
  }
  return runtime::make_str(std::move(text));
}

namespace {

const std::string& data_of(const Value& v) { return v.as<Bytes>().data; }
// A bytes argument; where Python takes one byte as an int, so do we.
std::string bytes_argument(const Value& v, bool number_too = false) {
  if (auto* b = v.get_if<Bytes>()) return b->data;
  if (number_too && is_integer_value(v)) {
    std::int64_t byte = index_of(v, "byte");
    if (byte < 0 || byte > 255) throw Error(ErrorClass::ValueError, "byte must be in range(0, 256)");
    return std::string(1, static_cast<char>(byte));
  }
  throw Error(ErrorClass::TypeError,
              number_too ? "argument should be integer or bytes-like object, not '" + runtime::type_name(v) + "'"
                         : "a bytes-like object is required, not '" + runtime::type_name(v) + "'");
}

Value bytes_decode(Runtime&, const Value& s, const Arguments& a) { return decode_bytes(data_of(s), a); }
Value bytes_hex(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "hex", 0, 2);
  std::string separator = a.positional.empty() ? "" : runtime::text_of(a.positional[0], "sep");
  std::string text;
  for (char c : data_of(s)) {
    if (!text.empty()) text += separator;
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789abcdef"[c & 15];
  }
  return runtime::make_str(std::move(text));
}

// ---- searching ----

struct Window {
  std::size_t begin, end;
  bool inside;
};
Window window_of(const Arguments& a, std::size_t size) {
  auto n = static_cast<std::int64_t>(size);
  auto bound = [&](std::size_t i, std::int64_t fallback) {
    if (a.positional.size() <= i || a.positional[i].is_none()) return fallback;
    std::int64_t v = index_of(a.positional[i], "index");
    return std::clamp<std::int64_t>(v < 0 ? v + n : v, 0, n + 1);
  };
  std::int64_t begin = bound(1, 0), end = std::min(bound(2, n), n);
  return {static_cast<std::size_t>(begin), static_cast<std::size_t>(end), begin <= end};
}
template <bool Last, bool Raises>
Value bytes_find(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, Raises ? "index" : "find", 1, 3);
  std::string part = bytes_argument(a.positional[0], true);
  Window w = window_of(a, data_of(s).size());
  std::size_t at = std::string_view::npos;
  if (w.inside) {
    std::string_view view = std::string_view(data_of(s)).substr(w.begin, w.end - w.begin);
    at = Last ? view.rfind(part) : view.find(part);
    if (at != std::string_view::npos) at += w.begin;
  }
  if (at != std::string_view::npos) return Value::integer(static_cast<std::int64_t>(at));
  if (Raises) throw Error(ErrorClass::ValueError, "subsection not found");
  return Value::integer(-1);
}
Value bytes_count(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "count", 1, 3);
  std::string part = bytes_argument(a.positional[0], true);
  Window w = window_of(a, data_of(s).size());
  if (!w.inside) return Value::integer(0);
  std::string_view view = std::string_view(data_of(s)).substr(w.begin, w.end - w.begin);
  if (part.empty()) return Value::integer(static_cast<std::int64_t>(view.size()) + 1);
  std::int64_t n = 0;
  for (std::size_t at = view.find(part); at != std::string_view::npos; at = view.find(part, at + part.size())) ++n;
  return Value::integer(n);
}
template <bool Prefix>
Value bytes_affix(Runtime&, const Value& s, const Arguments& a) {
  const char* name = Prefix ? "startswith" : "endswith";
  check_arguments(a, name, 1, 1);
  auto one = [&](const Value& v) {
    auto* b = v.get_if<Bytes>();
    if (!b)
      throw Error(ErrorClass::TypeError,
                  std::string(name) + " first arg must be bytes or a tuple of bytes, not " + runtime::type_name(v));
    return Prefix ? data_of(s).starts_with(b->data) : data_of(s).ends_with(b->data);
  };
  if (auto* tuple = a.positional[0].get_if<runtime::Tuple>()) {
    for (const Value& v : tuple->items)
      if (one(v)) return Value::boolean(true);
    return Value::boolean(false);
  }
  return Value::boolean(one(a.positional[0]));
}

// ---- parts ----

bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

Value bytes_split(Runtime&, const Value& s, const Arguments& a) {
  check_keywords(a, "split", {"sep", "maxsplit"});
  check_arguments({a.positional, {}, {}}, "split", 0, 2);
  const Value* separator = a.positional.empty() ? keyword(a, "sep") : &a.positional[0];
  const Value* most = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "maxsplit");
  std::int64_t left = most ? index_of(*most, "maxsplit") : -1;
  const std::string& data = data_of(s);
  std::vector<Value> parts;
  auto add = [&](std::size_t from, std::size_t to) { parts.push_back(make<Bytes>(data.substr(from, to - from))); };
  std::size_t at = 0;
  if (separator && !separator->is_none()) {
    std::string text = bytes_argument(*separator);
    if (text.empty()) throw Error(ErrorClass::ValueError, "empty separator");
    for (std::size_t next; left-- != 0 && (next = data.find(text, at)) != std::string::npos; at = next + text.size())
      add(at, next);
    add(at, data.size());
    return runtime::make_list(std::move(parts));
  }
  for (;;) {
    while (at < data.size() && blank(data[at])) ++at;
    if (at == data.size()) break;
    std::size_t end = at;
    while (end < data.size() && !blank(data[end])) ++end;
    if (left-- == 0) {
      end = data.size();
      while (blank(data[end - 1])) --end;
      add(at, end);
      break;
    }
    add(at, end);
    at = end;
  }
  return runtime::make_list(std::move(parts));
}
Value bytes_join(Runtime& runtime, const Value& s, const Arguments& a) {
  check_arguments(a, "bytes.join", 1, 1);
  std::string joined;
  std::size_t i = 0;
  for (const Value& v : collect(runtime, a.positional[0])) {
    auto* b = v.get_if<Bytes>();
    if (!b)
      throw Error(ErrorClass::TypeError,
                  "sequence item " + std::to_string(i) + ": expected a bytes-like object, " + runtime::type_name(v) + " found");
    if (i++) joined += data_of(s);
    joined += b->data;
  }
  return make<Bytes>(std::move(joined));
}
Value bytes_replace(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "replace", 2, 3);
  std::string from = bytes_argument(a.positional[0]), to = bytes_argument(a.positional[1]), result;
  std::int64_t left = a.positional.size() > 2 ? index_of(a.positional[2], "count") : -1;
  const std::string& data = data_of(s);
  std::size_t at = 0;
  while (left-- != 0) {
    std::size_t next = from.empty() ? at : data.find(from, at);
    if (next == std::string::npos || next > data.size()) break;
    result += data.substr(at, next - at) + to;
    at = next + from.size();
    if (!from.empty()) continue;
    if (at >= data.size()) return make<Bytes>(std::move(result));
    result += data[at++];
  }
  return make<Bytes>(result + data.substr(at));
}
template <bool Left, bool Right>
Value bytes_strip(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "strip", 0, 1);
  bool given = !a.positional.empty() && !a.positional[0].is_none();
  std::string set = given ? bytes_argument(a.positional[0]) : std::string(" \t\n\r\v\f");
  std::string_view view = data_of(s);
  while (Left && !view.empty() && set.find(view.front()) != std::string::npos) view.remove_prefix(1);
  while (Right && !view.empty() && set.find(view.back()) != std::string::npos) view.remove_suffix(1);
  return make<Bytes>(std::string(view));
}
template <int (*F)(int)>
Value bytes_mapped(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "bytes method", 0, 0);
  std::string data = data_of(s);
  for (char& c : data)
    if (static_cast<unsigned char>(c) < 0x80) c = static_cast<char>(F(c));
  return make<Bytes>(std::move(data));
}

constexpr MethodRow kBytes[] = {{"decode", bytes_decode},
                                {"hex", bytes_hex},
                                {"find", bytes_find<false, false>},
                                {"rfind", bytes_find<true, false>},
                                {"index", bytes_find<false, true>},
                                {"rindex", bytes_find<true, true>},
                                {"count", bytes_count},
                                {"startswith", bytes_affix<true>},
                                {"endswith", bytes_affix<false>},
                                {"split", bytes_split},
                                {"join", bytes_join},
                                {"replace", bytes_replace},
                                {"strip", bytes_strip<true, true>},
                                {"lstrip", bytes_strip<true, false>},
                                {"rstrip", bytes_strip<false, true>},
                                {"lower", bytes_mapped<std::tolower>},
                                {"upper", bytes_mapped<std::toupper>}};

}  // namespace

std::span<const MethodRow> bytes_methods() { return kBytes; }

}  // namespace autoray::frontend
