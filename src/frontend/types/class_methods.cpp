#include "frontend/types/class_methods.h"

#include <algorithm>
#include <cmath>

#include "frontend/types/methods.h"
#include "runtime/bigint.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;

namespace {

bool is_big_endian(const Arguments& a, std::size_t position) {
  const Value* order = a.positional.size() > position ? &a.positional[position] : keyword(a, "byteorder");
  if (!order) return true;
  const std::string& text = runtime::text_of(*order, "byteorder");
  if (text != "big" && text != "little") throw Error(ErrorClass::ValueError, "byteorder must be either 'little' or 'big'");
  return text == "big";
}
bool is_signed(Runtime& runtime, const Arguments& a) {
  const Value* given = keyword(a, "signed");
  return given && truth(runtime, *given);
}

Value int_from_bytes(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "from_bytes", {"byteorder", "signed"});
  check_arguments({a.positional, {}, {}}, "from_bytes", 1, 2);
  Value bytes = call(runtime, builtin_type(runtime, "bytes"), {a.positional.subspan(0, 1), {}, {}});
  std::string data = bytes.as<runtime::Bytes>().data;
  if (!is_big_endian(a, 1)) std::reverse(data.begin(), data.end());
  runtime::BigInteger value = 0;
  for (char c : data) value = (value << 8) + static_cast<unsigned char>(c);
  if (is_signed(runtime, a) && !data.empty() && (static_cast<unsigned char>(data[0]) & 0x80))
    value -= runtime::BigInteger(1) << static_cast<unsigned>(8 * data.size());
  return runtime::make_int(value);
}

// Hexadecimal text as float.hex writes it; rounded once, to nearest even, as the C library does.
Value float_from_hex(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "float.fromhex", 1, 1);
  std::string text = runtime::text_of(a.positional[0], "fromhex() argument");
  auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && space(text.back())) text.pop_back();
  text.erase(text.begin(), std::find_if(text.begin(), text.end(), [&](char c) { return !space(c); }));
  std::string lower;
  for (char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::size_t sign = !lower.empty() && (lower[0] == '+' || lower[0] == '-');
  std::string_view body = std::string_view(lower).substr(sign);
  bool word = body == "inf" || body == "infinity" || body == "nan";
  std::string complete = word || body.starts_with("0x") ? lower : lower.substr(0, sign) + "0x" + std::string(body);
  char* stop = nullptr;
  double value = std::strtod(complete.c_str(), &stop);
  if (body.empty() || *stop || (!word && body.find_first_of("in") != std::string_view::npos))
    throw Error(ErrorClass::ValueError, "invalid hexadecimal floating-point string");
  if (!word && std::isinf(value)) throw Error(ErrorClass::OverflowError, "hexadecimal value too large to represent as a float");
  (void)runtime;
  return Value::real(value);
}

Value bytes_from_hex(Runtime&, const Arguments& a) {
  check_arguments(a, "bytes.fromhex", 1, 1);
  const std::string& text = runtime::text_of(a.positional[0], "fromhex() argument");
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    char lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  std::string data;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r')) {
      ++i;
      continue;
    }
    for (std::size_t k = i; k < i + 2; ++k)
      if (k >= text.size() || digit(text[k]) < 0)
        throw Error(ErrorClass::ValueError,
                    "non-hexadecimal number found in fromhex() arg at position " + std::to_string(std::min(k, text.size())));
    data += static_cast<char>(16 * digit(text[i]) + digit(text[i + 1]));
    i += 2;
  }
  return make<runtime::Bytes>(std::move(data));
}

Value dict_from_keys(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "fromkeys", 1, 2);
  auto dict = make<runtime::Dict>();
  for (const Value& key : collect(runtime, a.positional[0]))
    dict->set(key, a.positional.size() > 1 ? a.positional[1] : Value::none());
  return dict;
}

struct ClassMethodRow {
  std::string_view type, name;
  Value (*function)(Runtime&, const Arguments&);
};
constexpr ClassMethodRow kClassMethods[] = {{"int", "from_bytes", int_from_bytes},
                                            {"float", "fromhex", float_from_hex},
                                            {"bytes", "fromhex", bytes_from_hex},
                                            {"dict", "fromkeys", dict_from_keys}};

// A value of the type, whose methods are the type's; Empty for types without methods.
Value sample_of(std::string_view type) {
  if (type == "str") return runtime::make_str("");
  if (type == "bytes") return make<runtime::Bytes>("");
  if (type == "list") return runtime::make_list();
  if (type == "tuple") return runtime::make_tuple({});
  if (type == "dict") return make<runtime::Dict>();
  if (type == "set") return make<runtime::Set>();
  if (type == "frozenset") return make<runtime::Set>(true);
  if (type == "float") return Value::real(0);
  if (type == "int") return Value::integer(0);
  if (type == "bool") return Value::boolean(false);
  if (type == "complex") return runtime::make_complex(0);
  return {};
}

}  // namespace

bool class_attribute(Runtime& runtime, const TypeObject& type, std::string_view attribute, Value& result) {
  for (const ClassMethodRow& row : kClassMethods)
    if (row.type == type.name && row.name == attribute) {
      result = runtime::make_native(std::string(attribute), row.function);
      return true;
    }
  Value sample = sample_of(type.name);
  if (sample.empty() || !find_method(sample, attribute)) return false;
  // str.maketrans is static in Python: what it gets is all that it needs.
  if (attribute == "maketrans") {
    result = get_attribute(runtime, sample, attribute);
    return true;
  }
  std::string method(attribute), type_name = type.name;
  Value self_type = builtin_type(runtime, type.name);
  result = runtime::make_native(method, [method, type_name, self_type](Runtime& r, const Arguments& a) {
    if (a.positional.empty())
      throw Error(ErrorClass::TypeError, "unbound method " + type_name + "." + method + "() needs an argument");
    if (!is_instance(r, a.positional[0], self_type))
      throw Error(ErrorClass::TypeError, "descriptor '" + method + "' for '" + type_name + "' objects doesn't apply to a '" +
                                             runtime::type_name(a.positional[0]) + "' object");
    return call_method(r, a.positional[0], method, {a.positional.subspan(1), a.keyword_names, a.keyword_values});
  });
  return true;
}

}  // namespace autoray::frontend
