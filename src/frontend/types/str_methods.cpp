// Methods of str. Case and classes are ASCII's, and Latin letters pass unchanged; positions are code points.
#include <clocale>
#include <cwctype>

#include <algorithm>

#include "frontend/string_literals.h"
#include "frontend/types/methods.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;
using runtime::ObjectKind;
using runtime::Str;

namespace {

const Str& self_of(const Value& v) { return v.as<Str>(); }
const std::string& text_arg(const Arguments& a, std::size_t i, std::string_view method) {
  if (auto* s = a.positional[i].get_if<Str>()) return s->text;
  throw Error(ErrorClass::TypeError, std::string(method) + " arg " + std::to_string(i + 1) + " must be str, not " +
                                         runtime::type_name(a.positional[i]));
}
bool space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
bool alpha(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || static_cast<unsigned char>(c) >= 0x80; }
bool digit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::string_view> points(std::string_view text);
// The C library's Unicode tables, whatever the process's own locale; null where they are missing: then ASCII alone has case.
locale_t unicode() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}
std::string lower_point(std::string_view p) {
  if (p.size() == 1 || !unicode()) return std::string(1, lower(p[0])) + std::string(p.substr(1));
  std::string text;
  append_utf8(text, static_cast<std::uint32_t>(towlower_l(static_cast<wint_t>(code_point(p)), unicode())));
  return text;
}
std::string upper_point(std::string_view p) {
  if (p == "ß") return "SS";
  if (p.size() == 1 || !unicode()) return std::string(1, upper(p[0])) + std::string(p.substr(1));
  std::string text;
  append_utf8(text, static_cast<std::uint32_t>(towupper_l(static_cast<wint_t>(code_point(p)), unicode())));
  return text;
}
bool is_lower(std::string_view p) { return upper_point(p) != p; }
bool is_upper(std::string_view p) { return lower_point(p) != p; }
bool is_alpha(std::string_view p) {
  if (p.size() == 1 || !unicode()) return alpha(p[0]);
  return iswalpha_l(static_cast<wint_t>(code_point(p)), unicode());
}

Value mapped_ascii(const Value& self, char (*f)(char)) {
  std::string text = self_of(self).text;
  for (char& c : text) c = f(c);
  return runtime::make_str(std::move(text));
}
template <class F>
Value mapped(const Value& self, F f) {
  std::string text;
  text.reserve(self_of(self).text.size());
  for (std::string_view p : points(self_of(self).text)) text += f(p);
  return runtime::make_str(std::move(text));
}
Value str_lower(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.lower", 0, 0);
  if (self_of(s).ascii()) return mapped_ascii(s, lower);
  return mapped(s, lower_point);
}
Value str_casefold(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.casefold", 0, 0);
  return mapped(s, [](std::string_view p) { return p == "ß" ? std::string("ss") : lower_point(p); });
}
Value str_upper(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.upper", 0, 0);
  if (self_of(s).ascii()) return mapped_ascii(s, upper);
  return mapped(s, upper_point);
}
Value str_swapcase(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.swapcase", 0, 0);
  return mapped(s, [](std::string_view p) { return is_upper(p) ? lower_point(p) : upper_point(p); });
}
Value str_capitalize(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.capitalize", 0, 0);
  bool first = true;
  return mapped(s, [&](std::string_view p) { return std::exchange(first, false) ? upper_point(p) : lower_point(p); });
}
Value str_title(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.title", 0, 0);
  bool inside = false;
  return mapped(s, [&](std::string_view p) {
    std::string r = inside ? lower_point(p) : upper_point(p);
    inside = is_lower(p) || is_upper(p);
    return r;
  });
}

// Code points as a list of their texts.
std::vector<std::string_view> points(std::string_view text) {
  std::vector<std::string_view> list;
  for (std::size_t i = 0; i < text.size();) {
    auto c = static_cast<unsigned char>(text[i]);
    std::size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    list.push_back(text.substr(i, n));
    i += n;
  }
  return list;
}

template <bool Left, bool Right>
Value str_strip(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "strip", 0, 1);
  std::string_view text = self_of(s).text;
  std::vector<std::string_view> set;
  if (!a.positional.empty() && !a.positional[0].is_none()) set = points(text_arg(a, 0, "strip"));
  bool blank = a.positional.empty() || a.positional[0].is_none();
  auto strips = [&](std::string_view p) {
    return blank ? p.size() == 1 && space(p[0]) : std::find(set.begin(), set.end(), p) != set.end();
  };
  std::vector<std::string_view> list = points(text);
  std::size_t from = 0, to = list.size();
  if (Left)
    while (from < to && strips(list[from])) ++from;
  if (Right)
    while (to > from && strips(list[to - 1])) --to;
  if (from == to) return runtime::make_str("");
  return runtime::make_str(std::string(list[from].data(), list[to - 1].data() + list[to - 1].size()));
}

template <bool FromRight>
Value str_split(Runtime&, const Value& s, const Arguments& a) {
  if (a.positional.size() > 2)
    throw Error(ErrorClass::TypeError, "split() takes at most 2 arguments (" + std::to_string(a.positional.size()) + " given)");
  check_keywords(a, "split", {"sep", "maxsplit"});
  const Value* sep = a.positional.size() > 0 ? &a.positional[0] : keyword(a, "sep");
  const Value* most = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "maxsplit");
  std::int64_t limit = most ? index_of(*most, "maxsplit") : -1;
  std::string_view text = self_of(s).text;
  std::vector<Value> parts;
  auto add = [&](std::string_view part) { parts.push_back(runtime::make_str(std::string(part))); };
  if (!sep || sep->is_none()) {
    if (!FromRight) {
      std::size_t i = 0;
      for (;;) {
        while (i < text.size() && space(text[i])) ++i;
        if (i == text.size()) break;
        if (limit >= 0 && static_cast<std::int64_t>(parts.size()) == limit) {
          std::size_t end = text.size();
          while (end > i && space(text[end - 1])) --end;
          add(text.substr(i, end - i));
          break;
        }
        std::size_t j = i;
        while (j < text.size() && !space(text[j])) ++j;
        add(text.substr(i, j - i));
        i = j;
      }
    } else {
      std::size_t end = text.size();
      for (;;) {
        while (end > 0 && space(text[end - 1])) --end;
        if (end == 0) break;
        if (limit >= 0 && static_cast<std::int64_t>(parts.size()) == limit) {
          std::size_t i = 0;
          while (i < end && space(text[i])) ++i;
          add(text.substr(i, end - i));
          break;
        }
        std::size_t j = end;
        while (j > 0 && !space(text[j - 1])) --j;
        add(text.substr(j, end - j));
        end = j;
      }
      std::reverse(parts.begin(), parts.end());
    }
    return runtime::make_list(std::move(parts));
  }
  const std::string& by = runtime::text_of(*sep, "sep");
  if (by.empty()) throw Error(ErrorClass::ValueError, "empty separator");
  if (!FromRight) {
    std::size_t i = 0;
    for (std::size_t j;
         (limit < 0 || static_cast<std::int64_t>(parts.size()) < limit) && (j = text.find(by, i)) != std::string_view::npos;
         i = j + by.size())
      add(text.substr(i, j - i));
    add(text.substr(i));
  } else {
    std::size_t end = text.size();
    while ((limit < 0 || static_cast<std::int64_t>(parts.size()) < limit) && end >= by.size()) {
      std::size_t j = text.rfind(by, end - by.size());
      if (j == std::string_view::npos) break;
      add(text.substr(j + by.size(), end - j - by.size()));
      end = j;
    }
    add(text.substr(0, end));
    std::reverse(parts.begin(), parts.end());
  }
  return runtime::make_list(std::move(parts));
}

Value str_join(Runtime& runtime, const Value& s, const Arguments& a) {
  check_arguments(a, "str.join", 1, 1);
  std::string text;
  std::size_t i = 0;
  for (const Value& item : collect(runtime, a.positional[0])) {
    auto* part = item.get_if<Str>();
    if (!part)
      throw Error(ErrorClass::TypeError,
                  "sequence item " + std::to_string(i) + ": expected str instance, " + runtime::type_name(item) + " found");
    if (i++) text += self_of(s).text;
    text += part->text;
  }
  return runtime::make_str(std::move(text));
}

Value str_replace(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "replace", 2, 3);
  const std::string &text = self_of(s).text, &from = text_arg(a, 0, "replace()"), &to = text_arg(a, 1, "replace()");
  std::int64_t count = a.positional.size() > 2 ? index_of(a.positional[2], "count") : -1;
  std::string result;
  std::size_t i = 0;
  if (from.empty()) {
    for (std::string_view p : points(text)) {
      if (count != 0) result += to, --count;
      result += p;
    }
    if (count != 0) result += to;
    return runtime::make_str(std::move(result));
  }
  for (std::size_t j; count != 0 && (j = text.find(from, i)) != std::string::npos; i = j + from.size(), --count)
    result += text.substr(i, j - i) + to;
  return runtime::make_str(result + text.substr(i));
}

std::int64_t code_points(std::string_view t) {
  std::int64_t n = 0;
  for (char c : t) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}
std::size_t byte_at(const Str& s, std::int64_t i) {
  if (s.ascii()) return static_cast<std::size_t>(i);
  auto list = points(s.text);
  return i >= static_cast<std::int64_t>(list.size())
             ? s.text.size()
             : static_cast<std::size_t>(list[static_cast<std::size_t>(i)].data() - s.text.data());
}
// The searched part in bytes; false when start lies beyond the end.
bool window(const Str& s, const Arguments& a, std::size_t& from, std::size_t& to) {
  std::int64_t n = s.length, b = 0, e = n;
  if (a.positional.size() > 1 && !a.positional[1].is_none()) b = index_of(a.positional[1], "start");
  if (a.positional.size() > 2 && !a.positional[2].is_none()) e = index_of(a.positional[2], "end");
  if (b < 0) b = std::max<std::int64_t>(0, b + n);
  if (e < 0) e = std::max<std::int64_t>(0, e + n);
  e = std::min(e, n);
  if (b > e) return false;
  from = byte_at(s, b);
  to = byte_at(s, e);
  return true;
}
std::int64_t find_text(const Value& self, const Arguments& a, bool right) {
  check_arguments(a, "find", 1, 3);
  const Str& s = self_of(self);
  const std::string& what = text_arg(a, 0, "find()");
  std::size_t from, to;
  if (!window(s, a, from, to) || to - from < what.size()) return -1;
  std::string_view part = std::string_view(s.text).substr(from, to - from);
  std::size_t at = right ? part.rfind(what) : part.find(what);
  return at == std::string_view::npos ? -1 : code_points(std::string_view(s.text).substr(0, from + at));
}
Value str_find(Runtime&, const Value& s, const Arguments& a) { return Value::integer(find_text(s, a, false)); }
Value str_rfind(Runtime&, const Value& s, const Arguments& a) { return Value::integer(find_text(s, a, true)); }
template <bool Right>
Value str_index(Runtime&, const Value& s, const Arguments& a) {
  std::int64_t i = find_text(s, a, Right);
  if (i < 0) throw Error(ErrorClass::ValueError, "substring not found");
  return Value::integer(i);
}
Value str_count(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "count", 1, 3);
  const Str& s = self_of(self);
  const std::string& what = text_arg(a, 0, "count()");
  std::size_t from, to;
  if (!window(s, a, from, to)) return Value::integer(0);
  std::string_view part = std::string_view(s.text).substr(from, to - from);
  if (what.empty()) return Value::integer(code_points(part) + 1);
  std::int64_t n = 0;
  for (std::size_t i = part.find(what); i != std::string_view::npos; i = part.find(what, i + what.size())) ++n;
  return Value::integer(n);
}
template <bool Start>
Value str_affix(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, Start ? "startswith" : "endswith", 1, 3);
  const Str& s = self_of(self);
  std::size_t from, to;
  if (!window(s, a, from, to)) return Value::boolean(false);
  std::string_view part = std::string_view(s.text).substr(from, to - from);
  auto test = [&](const Value& v) {
    auto* affix = v.get_if<Str>();
    if (!affix)
      throw Error(ErrorClass::TypeError, std::string(Start ? "startswith" : "endswith") +
                                             " first arg must be str or a tuple of str, not " + runtime::type_name(v));
    return Start ? part.starts_with(affix->text) : part.ends_with(affix->text);
  };
  if (auto* tuple = a.positional[0].get_if<runtime::Tuple>()) {
    for (const Value& v : tuple->items)
      if (test(v)) return Value::boolean(true);
    return Value::boolean(false);
  }
  return Value::boolean(test(a.positional[0]));
}
void check_room(std::int64_t room) {
  if (room > (1 << 28)) throw Error(ErrorClass::MemoryError, "the padded text is too long");
}
template <char Align>
Value str_justify(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "ljust", 1, 2);
  const Str& s = self_of(self);
  std::int64_t width = index_of(a.positional[0], "width"), room = width - s.length;
  std::string fill = a.positional.size() > 1 ? text_arg(a, 1, "ljust()") : " ";
  if (code_points(fill) != 1) throw Error(ErrorClass::TypeError, "The fill character must be exactly one character long");
  if (room <= 0) return self;
  check_room(room);
  std::int64_t left = Align == '<' ? 0 : Align == '>' ? room : room / 2 + (room & width & 1);
  std::string text;
  for (std::int64_t k = 0; k < left; ++k) text += fill;
  text += s.text;
  for (std::int64_t k = left; k < room; ++k) text += fill;
  return runtime::make_str(std::move(text));
}
Value str_zfill(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "zfill", 1, 1);
  const Str& s = self_of(self);
  std::int64_t room = index_of(a.positional[0], "width") - s.length;
  if (room <= 0) return self;
  check_room(room);
  std::string text = s.text;
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+');
  text.insert(at, static_cast<std::size_t>(room), '0');
  return runtime::make_str(std::move(text));
}
template <bool Right>
Value str_partition(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "partition", 1, 1);
  const std::string &text = self_of(self).text, &by = text_arg(a, 0, "partition()");
  if (by.empty()) throw Error(ErrorClass::ValueError, "empty separator");
  std::size_t at = Right ? text.rfind(by) : text.find(by);
  auto s = [](std::string t) { return runtime::make_str(std::move(t)); };
  if (at == std::string::npos)
    return Right ? runtime::make_tuple({s(""), s(""), self}) : runtime::make_tuple({self, s(""), s("")});
  return runtime::make_tuple({s(text.substr(0, at)), s(by), s(text.substr(at + by.size()))});
}
Value str_splitlines(Runtime& runtime, const Value& self, const Arguments& a) {
  bool keep = !a.positional.empty() && truth(runtime, a.positional[0]);
  const std::string& text = self_of(self).text;
  std::vector<Value> lines;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t j = text.find_first_of("\n\r", i), end = j == std::string::npos ? text.size() : j + 1;
    if (j != std::string::npos && text[j] == '\r' && j + 1 < text.size() && text[j + 1] == '\n') ++end;
    lines.push_back(runtime::make_str(text.substr(i, (keep ? end : std::min(j, text.size())) - i)));
    i = end;
  }
  return runtime::make_list(std::move(lines));
}
// True when every code point passes, and there is one.
template <class F>
Value all_of(const Value& self, F f) {
  std::vector<std::string_view> list = points(self_of(self).text);
  return Value::boolean(!list.empty() && std::all_of(list.begin(), list.end(), f));
}
bool is_digit(std::string_view p) { return p.size() == 1 && digit(p[0]); }
bool is_space(std::string_view p) {
  return p.size() == 1
             ? space(p[0])
             : p == "\u00a0" || p == "\u3000" || p == "\u2028" || p == "\u2029" || p == "\u202f" || p == "\u205f" ||
                   p == "\u1680" || p == "\u0085" || (p >= std::string_view("\u2000") && p <= std::string_view("\u200a"));
}
Value str_isdigit(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.isdigit", 0, 0);
  return all_of(s, is_digit);
}
Value str_isalpha(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.isalpha", 0, 0);
  return all_of(s, is_alpha);
}
Value str_isalnum(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.isalnum", 0, 0);
  return all_of(s, [](std::string_view p) { return is_alpha(p) || is_digit(p); });
}
Value str_isspace(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.isspace", 0, 0);
  return all_of(s, is_space);
}
Value str_isascii(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.isascii", 0, 0);
  return Value::boolean(self_of(s).ascii());
}
Value str_isprintable(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.isprintable", 0, 0);
  for (std::string_view p : points(self_of(s).text)) {
    if (!is_printable(code_point(p))) return Value::boolean(false);
  }
  return Value::boolean(true);
}
template <bool Upper>
Value str_iscase(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, Upper ? "str.isupper" : "str.islower", 0, 0);
  bool cased = false;
  for (std::string_view p : points(self_of(s).text)) {
    if (Upper ? is_lower(p) : is_upper(p)) return Value::boolean(false);
    cased |= Upper ? is_upper(p) : is_lower(p);
  }
  return Value::boolean(cased);
}
Value str_istitle(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "str.istitle", 0, 0);
  bool cased = false, inside = false;
  for (std::string_view p : points(self_of(s).text)) {
    bool up = is_upper(p), down = is_lower(p);
    if ((up && inside) || (down && !inside)) return Value::boolean(false);
    inside = up || down;
    cased |= inside;
  }
  return Value::boolean(cased);
}
// A table from code points to a code point, a text or None (removed), as maketrans makes it.
Value str_translate(Runtime& runtime, const Value& s, const Arguments& a) {
  check_arguments(a, "str.translate", 1, 1);
  std::string text;
  for (std::string_view p : points(self_of(s).text)) {
    Value to;
    try {
      to = get_item(runtime, a.positional[0], Value::integer(code_point(p)));
    } catch (const runtime::Raised& raised) {
      if (!ir::derives(raised.exception.as<runtime::Exception>().error_class, ErrorClass::LookupError)) throw;
    } catch (const Error& e) {
      if (!ir::derives(e.error_class(), ErrorClass::LookupError)) throw;
    }
    if (to.empty()) {
      text += p;
    } else if (to.is_int()) {
      if (to.as_int() < 0 || to.as_int() > 0x10ffff)
        throw Error(ErrorClass::ValueError, "character mapping must be in range(0x110000)");
      append_utf8(text, static_cast<std::uint32_t>(to.as_int()));
    } else if (auto* part = to.get_if<Str>()) {
      text += part->text;
    } else if (!to.is_none()) {
      throw Error(ErrorClass::TypeError, "character mapping must return integer, None or str");
    }
  }
  return runtime::make_str(std::move(text));
}
Value str_maketrans(Runtime&, const Value&, const Arguments& a) {
  check_arguments(a, "maketrans", 1, 3);
  auto table = make<runtime::Dict>();
  if (a.positional.size() == 1) {
    auto* dict = a.positional[0].get_if<runtime::Dict>();
    if (!dict) throw Error(ErrorClass::TypeError, "if you give only one argument to maketrans it must be a dict");
    for (auto& entry : dict->entries()) {
      if (entry.key.empty()) continue;
      auto* key = entry.key.get_if<Str>();
      if (key && key->length != 1) throw Error(ErrorClass::ValueError, "string keys in translate table must be of length 1");
      if (!key && !entry.key.is_int())
        throw Error(ErrorClass::TypeError, "keys in translate table must be strings or integers");
      table->set(key ? Value::integer(code_point(key->text)) : entry.key, entry.value);
    }
    return table;
  }
  auto from = points(text_arg(a, 0, "maketrans()")), to = points(text_arg(a, 1, "maketrans()"));
  if (from.size() != to.size()) throw Error(ErrorClass::ValueError, "the first two maketrans arguments must have equal length");
  for (std::size_t i = 0; i < from.size(); ++i)
    table->set(Value::integer(code_point(from[i])), Value::integer(code_point(to[i])));
  if (a.positional.size() > 2)
    for (std::string_view p : points(text_arg(a, 2, "maketrans()"))) table->set(Value::integer(code_point(p)), Value::none());
  return table;
}
Value str_isidentifier(Runtime&, const Value& s, const Arguments&) {
  const std::string& t = self_of(s).text;
  if (t.empty() || digit(t[0])) return Value::boolean(false);
  return all_of(s, [](std::string_view p) { return is_alpha(p) || is_digit(p) || p == "_"; });
}
template <bool Prefix>
Value str_remove_affix(Runtime&, const Value& s, const Arguments& a) {
  check_arguments(a, "removeprefix", 1, 1);
  const std::string &text = self_of(s).text, &affix = text_arg(a, 0, "removeprefix()");
  if (Prefix && text.starts_with(affix)) return runtime::make_str(text.substr(affix.size()));
  if (!Prefix && !affix.empty() && text.ends_with(affix)) return runtime::make_str(text.substr(0, text.size() - affix.size()));
  return s;
}
Value str_encode(Runtime&, const Value& s, const Arguments& a) { return encode_text(self_of(s).text, a); }
Value str_expandtabs(Runtime&, const Value& s, const Arguments& a) {
  std::int64_t size = a.positional.empty() ? 8 : index_of(a.positional[0], "tabsize"), column = 0;
  std::string text;
  for (char c : self_of(s).text) {
    if (c != '\t') {
      text += c;
      column = c == '\n' || c == '\r' ? 0 : column + ((static_cast<unsigned char>(c) & 0xc0) != 0x80);
      continue;
    }
    std::int64_t n = size > 0 ? size - column % size : 0;
    text.append(static_cast<std::size_t>(n), ' ');
    column += n;
  }
  return runtime::make_str(std::move(text));
}

// str.format
std::string format_fields(Runtime& runtime, std::string_view pattern, const Arguments& a, int depth, std::int64_t& automatic) {
  if (depth > 2) throw Error(ErrorClass::ValueError, "Max string recursion exceeded");
  std::string result;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '{' && i + 1 < pattern.size() && pattern[i + 1] == '{') {
      result += '{';
      ++i;
      continue;
    }
    if (c == '}') {
      if (i + 1 < pattern.size() && pattern[i + 1] == '}') {
        result += '}';
        ++i;
        continue;
      }
      throw Error(ErrorClass::ValueError, "Single '}' encountered in format string");
    }
    if (c != '{') {
      result += c;
      continue;
    }
    int nesting = 1;
    std::size_t start = ++i;
    for (; i < pattern.size() && nesting; ++i) nesting += pattern[i] == '{' ? 1 : pattern[i] == '}' ? -1 : 0;
    if (nesting)
      throw Error(ErrorClass::ValueError,
                  start == pattern.size() ? "Single '{' encountered in format string" : "expected '}' before end of string");
    --i;
    std::string_view field = pattern.substr(start, i - start);
    std::size_t colon = field.find(':'), bang = field.substr(0, colon).find('!');
    std::string spec(colon == std::string_view::npos ? "" : field.substr(colon + 1));
    char conversion = bang != std::string_view::npos && bang + 1 < field.size() ? field[bang + 1] : 0;
    std::string_view name = field.substr(0, std::min(colon, bang));
    std::size_t end = name.find_first_of(".[");
    std::string_view head = name.substr(0, end);
    Value value;
    if (head.empty() || digit(head[0])) {
      std::int64_t n = 0;
      if (head.empty()) {
        if (automatic < 0)
          throw Error(ErrorClass::ValueError, "cannot switch from manual field specification to automatic field numbering");
        n = automatic++;
      } else {
        if (automatic > 0)
          throw Error(ErrorClass::ValueError, "cannot switch from automatic field numbering to manual field specification");
        automatic = -1;
        for (char d : head) n = 10 * n + (d - '0');
      }
      if (n >= static_cast<std::int64_t>(a.positional.size()))
        throw Error(ErrorClass::IndexError,
                    "Replacement index " + std::to_string(n) + " out of range for positional args tuple");
      value = a.positional[static_cast<std::size_t>(n)];
    } else {
      const Value* found = keyword(a, head);
      if (!found)
        throw runtime::Raised{
            make<runtime::Exception>(ErrorClass::KeyError, std::vector<Value>{runtime::make_str(std::string(head))})};
      value = *found;
    }
    while (end != std::string_view::npos && end < name.size()) {
      if (name[end] == '.') {
        std::size_t stop = name.find_first_of(".[", end + 1);
        value = get_attribute(runtime, value, name.substr(end + 1, stop == std::string_view::npos ? stop : stop - end - 1));
        end = stop;
      } else {
        std::size_t stop = name.find(']', end);
        if (stop == std::string_view::npos) throw Error(ErrorClass::ValueError, "Missing ']' in format string");
        std::string_view key = name.substr(end + 1, stop - end - 1);
        bool number = !key.empty() && std::all_of(key.begin(), key.end(), digit);
        value = get_item(runtime, value,
                         number ? Value::integer(std::stoll(std::string(key))) : runtime::make_str(std::string(key)));
        end = stop + 1 < name.size() ? stop + 1 : std::string_view::npos;
      }
    }
    if (conversion) value = runtime::make_str(conversion == 's' ? str(runtime, value) : repr(runtime, value));
    if (spec.find('{') != std::string::npos) spec = format_fields(runtime, spec, a, depth + 1, automatic);
    result += format(runtime, value, spec);
  }
  return result;
}
Value str_format(Runtime& runtime, const Value& s, const Arguments& a) {
  std::int64_t automatic = 0;
  return runtime::make_str(format_fields(runtime, self_of(s).text, a, 0, automatic));
}

constexpr MethodRow kStr[] = {{"join", str_join},
                              {"split", str_split<false>},
                              {"rsplit", str_split<true>},
                              {"strip", str_strip<true, true>},
                              {"lstrip", str_strip<true, false>},
                              {"rstrip", str_strip<false, true>},
                              {"replace", str_replace},
                              {"format", str_format},
                              {"startswith", str_affix<true>},
                              {"endswith", str_affix<false>},
                              {"find", str_find},
                              {"rfind", str_rfind},
                              {"index", str_index<false>},
                              {"rindex", str_index<true>},
                              {"count", str_count},
                              {"lower", str_lower},
                              {"upper", str_upper},
                              {"title", str_title},
                              {"capitalize", str_capitalize},
                              {"swapcase", str_swapcase},
                              {"casefold", str_casefold},
                              {"ljust", str_justify<'<'>},
                              {"rjust", str_justify<'>'>},
                              {"center", str_justify<'^'>},
                              {"zfill", str_zfill},
                              {"partition", str_partition<false>},
                              {"rpartition", str_partition<true>},
                              {"splitlines", str_splitlines},
                              {"isdigit", str_isdigit},
                              {"isdecimal", str_isdigit},
                              {"isnumeric", str_isdigit},
                              {"isalpha", str_isalpha},
                              {"isalnum", str_isalnum},
                              {"isspace", str_isspace},
                              {"isupper", str_iscase<true>},
                              {"islower", str_iscase<false>},
                              {"istitle", str_istitle},
                              {"isascii", str_isascii},
                              {"isprintable", str_isprintable},
                              {"translate", str_translate},
                              {"maketrans", str_maketrans},
                              {"isidentifier", str_isidentifier},
                              {"removeprefix", str_remove_affix<true>},
                              {"removesuffix", str_remove_affix<false>},
                              {"encode", str_encode},
                              {"expandtabs", str_expandtabs}};

}  // namespace

std::span<const MethodRow> str_methods() { return kStr; }

}  // namespace autoray::frontend
