// The builtin functions.
#include <algorithm>
#include <array>
#include <cmath>

#include "frontend/modules/module_object.h"
#include "frontend/string_literals.h"
#include "frontend/types/array_type.h"
#include "frontend/types/methods.h"
#include "runtime/bigint.h"
#include "runtime/dispatch.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;
using runtime::ObjectKind;
using runtime::Ref;

namespace {

Value print(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "print", {"sep", "end", "file", "flush"});
  auto text_option = [&](std::string_view name, std::string fallback) {
    const Value* v = keyword(a, name);
    if (v && !v->is_none() && !v->is(ObjectKind::Str))
      throw Error(ErrorClass::TypeError, std::string(name) + " must be None or a string, not " + runtime::type_name(*v));
    return v && !v->is_none() ? runtime::text_of(*v, name) : fallback;
  };
  std::string sep = text_option("sep", " "), text;
  for (std::size_t i = 0; i < a.positional.size(); ++i) {
    if (i) text += sep;
    text += str(runtime, a.positional[i]);
  }
  text += text_option("end", "\n");
  const Value* file = keyword(a, "file");
  if (file && !file->is_none()) {
    Value line = runtime::make_str(std::move(text));
    call_method(runtime, *file, "write", {std::span(&line, 1), {}, {}});
  } else {
    runtime.write_stdout(text);
    const Value* flush = keyword(a, "flush");
    if (flush && truth(runtime, *flush)) runtime.write_stdout({});
  }
  return Value::none();
}

Value len(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "len", 1, 1);
  return Value::integer(length(runtime, a.positional[0]));
}

Value abs(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "abs", 1, 1);
  const Value& v = a.positional[0];
  if (v.is_int() && v.as_int() != INT64_MIN) return Value::integer(std::llabs(v.as_int()));
  if (v.is_float()) return Value::real(std::fabs(v.as_float()));
  if (v.is_bool()) return Value::integer(v.as_bool());
  if (is_integer_value(v)) return runtime::make_int(boost::multiprecision::abs(runtime::big_value(v)));
  if (auto* c = v.get_if<runtime::Complex>()) return Value::real(std::hypot(c->value.real(), c->value.imag()));
  if (is_array_like(v)) return runtime::operator_call(runtime, ir::find_op("abs"), std::span(&v, 1));
  throw Error(ErrorClass::TypeError, "bad operand type for abs(): '" + runtime::type_name(v) + "'");
}

template <bool Max>
Value extreme(Runtime& runtime, const Arguments& a) {
  const char* name = Max ? "max" : "min";
  check_keywords(a, name, {"key", "default"});
  if (a.positional.empty()) throw Error(ErrorClass::TypeError, std::string(name) + " expected at least 1 argument, got 0");
  std::vector<Value> items;
  std::span<const Value> values = a.positional;
  if (a.positional.size() == 1) {
    items = collect(runtime, a.positional[0]);
    values = items;
  }
  if (values.empty()) {
    if (const Value* fallback = keyword(a, "default")) return *fallback;
    throw Error(ErrorClass::ValueError, std::string(name) + "() arg is an empty sequence");
  }
  const Value* key = keyword(a, "key");
  if (key && key->is_none()) key = nullptr;
  auto keyed = [&](const Value& v) { return key ? call(runtime, *key, {std::span(&v, 1), {}, {}}) : v; };
  Value best = values[0], best_key = keyed(best);
  for (std::size_t i = 1; i < values.size(); ++i) {
    Value k = keyed(values[i]);
    if (truth(runtime, compare(runtime, Max ? CompareOperator::Gt : CompareOperator::Lt, k, best_key))) {
      best = values[i];
      best_key = std::move(k);
    }
  }
  return best;
}

Value sum(Runtime& runtime, const Arguments& a) {
  if (a.positional.empty() || a.positional.size() > 2) check_arguments({a.positional, {}, {}}, "sum", 1, 2);
  check_keywords(a, "sum", {"start"});
  Value total = a.positional.size() > 1 ? a.positional[1] : keyword(a, "start") ? *keyword(a, "start") : Value::integer(0);
  if (total.is(ObjectKind::Str)) throw Error(ErrorClass::TypeError, "sum() can't sum strings [use ''.join(seq) instead]");
  unsigned count = 0;
  auto add = [&](const Value& item) {
    if ((++count & 1023) == 0) runtime.poll();
    std::int64_t v;
    if (total.is_float() && item.is_float())
      total = Value::real(total.as_float() + item.as_float());
    else if (total.is_int() && (item.is_int() || item.is_bool()) &&
             !__builtin_add_overflow(total.as_int(), item.is_int() ? item.as_int() : item.as_bool(), &v))
      total = Value::integer(v);
    else
      total = binary(runtime, BinaryOperator::Add, total, item);
  };
  if (auto* list = a.positional[0].get_if<runtime::List>()) {
    // An item's addition may change the list.
    for (std::size_t i = 0; i < list->items.size(); ++i) add(Value(list->items[i]));
    return total;
  }
  auto iterator = iterate(runtime, a.positional[0]);
  Value item;
  while (iterator->next(runtime, item)) add(item);
  return total;
}

template <bool All>
Value quantify(Runtime& runtime, const Arguments& a) {
  check_arguments(a, All ? "all" : "any", 1, 1);
  auto iterator = iterate(runtime, a.positional[0]);
  Value item;
  unsigned count = 0;
  while (iterator->next(runtime, item)) {
    if ((++count & 1023) == 0) runtime.poll();
    if (truth(runtime, item) != All) return Value::boolean(!All);
  }
  return Value::boolean(All);
}

Value sorted(Runtime& runtime, const Arguments& a) {
  if (a.positional.size() != 1)
    throw Error(ErrorClass::TypeError, "sorted expected 1 argument, got " + std::to_string(a.positional.size()));
  check_keywords(a, "sorted", {"key", "reverse"});
  std::vector<Value> items = collect(runtime, a.positional[0]);
  const Value* reverse = keyword(a, "reverse");
  sort_values(runtime, items, keyword(a, "key"), reverse && truth(runtime, *reverse));
  return runtime::make_list(std::move(items));
}

Value reversed(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "reversed", 1, 1);
  const Value& v = a.positional[0];
  if (v.is(ObjectKind::Set) || v.is(ObjectKind::Iterator))
    throw Error(ErrorClass::TypeError, "'" + runtime::type_name(v) + "' object is not reversible");
  std::vector<Value> items = collect(runtime, v);
  std::reverse(items.begin(), items.end());
  return iterate(runtime, runtime::make_list(std::move(items)));
}

// enumerate, zip, map, filter
class Enumerate final : public runtime::Iterator {
 public:
  Enumerate(Ref<runtime::Iterator> i, std::int64_t n) : inner_(std::move(i)), n_(n) {}
  std::string_view iterator_type() const override { return "enumerate"; }
  bool advance(Runtime& runtime, Value& result) override {
    Value item;
    if (!inner_ || !inner_->next(runtime, item)) return false;
    result = runtime::make_tuple({Value::integer(n_++), std::move(item)});
    return true;
  }
  void clear() override { inner_ = nullptr; }

 private:
  Ref<runtime::Iterator> inner_;
  std::int64_t n_;
};
class Zip final : public runtime::Iterator {
 public:
  Zip(std::vector<Ref<runtime::Iterator>> i, bool strict) : inner_(std::move(i)), strict_(strict) {}
  std::string_view iterator_type() const override { return "zip"; }
  bool advance(Runtime& runtime, Value& result) override {
    std::vector<Value> items(inner_.size());
    for (std::size_t i = 0; i < inner_.size(); ++i) {
      if (inner_[i]->next(runtime, items[i])) continue;
      if (strict_) {
        if (i)
          throw Error(ErrorClass::ValueError, "zip() argument " + std::to_string(i + 1) + " is shorter than argument" +
                                                  (i == 1 ? " 1" : "s 1-" + std::to_string(i)));
        for (std::size_t j = 1; j < inner_.size(); ++j)
          if (inner_[j]->next(runtime, items[j]))
            throw Error(ErrorClass::ValueError, "zip() argument " + std::to_string(j + 1) + " is longer than argument" +
                                                    (j == 1 ? " 1" : "s 1-" + std::to_string(j)));
      }
      return false;
    }
    if (items.empty()) return false;
    result = runtime::make_tuple(std::move(items));
    return true;
  }
  void clear() override { inner_.clear(); }

 private:
  std::vector<Ref<runtime::Iterator>> inner_;
  bool strict_;
};
class Map final : public runtime::Iterator {
 public:
  Map(Value f, std::vector<Ref<runtime::Iterator>> i) : function_(std::move(f)), inner_(std::move(i)) {}
  std::string_view iterator_type() const override { return "map"; }
  bool advance(Runtime& runtime, Value& result) override {
    std::vector<Value> items(inner_.size());
    for (std::size_t i = 0; i < inner_.size(); ++i)
      if (!inner_[i]->next(runtime, items[i])) return false;
    if (items.empty()) return false;
    result = call(runtime, function_, {items, {}, {}});
    return true;
  }
  void clear() override {
    function_.clear();
    inner_.clear();
  }

 private:
  Value function_;
  std::vector<Ref<runtime::Iterator>> inner_;
};
class Filter final : public runtime::Iterator {
 public:
  Filter(Value f, Ref<runtime::Iterator> i) : function_(std::move(f)), inner_(std::move(i)) {}
  std::string_view iterator_type() const override { return "filter"; }
  bool advance(Runtime& runtime, Value& result) override {
    while (inner_ && inner_->next(runtime, result))
      if (function_.is_none() ? truth(runtime, result)
                              : truth(runtime, call(runtime, function_, {std::span(&result, 1), {}, {}})))
        return true;
    return false;
  }
  void clear() override {
    function_.clear();
    inner_ = nullptr;
  }

 private:
  Value function_;
  Ref<runtime::Iterator> inner_;
};
// iter(callable, sentinel)
class CallIterator final : public runtime::Iterator {
 public:
  CallIterator(Value f, Value s) : function_(std::move(f)), sentinel_(std::move(s)) {}
  bool advance(Runtime& runtime, Value& result) override {
    if (function_.empty()) return false;
    result = call(runtime, function_, {});
    if (!equal(runtime, result, sentinel_)) return true;
    function_.clear();
    return false;
  }
  void clear() override {
    function_.clear();
    sentinel_.clear();
  }

 private:
  Value function_, sentinel_;
};

std::vector<Ref<runtime::Iterator>> iterators(Runtime& runtime, std::span<const Value> values) {
  std::vector<Ref<runtime::Iterator>> list;
  for (const Value& v : values) list.push_back(iterate(runtime, v));
  return list;
}
Value enumerate(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "enumerate", {"start"});
  check_arguments({a.positional, {}, {}}, "enumerate", 1, 2);
  const Value* start = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "start");
  return make<Enumerate>(iterate(runtime, a.positional[0]), start ? index_of(*start, "start") : 0);
}
Value zip(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "zip", {"strict"});
  const Value* strict = keyword(a, "strict");
  return make<Zip>(iterators(runtime, a.positional), strict && truth(runtime, *strict));
}
Value map(Runtime& runtime, const Arguments& a) {
  if (a.positional.size() < 2) throw Error(ErrorClass::TypeError, "map() must have at least two arguments.");
  return make<Map>(a.positional[0], iterators(runtime, a.positional.subspan(1)));
}
Value filter(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "filter", 2, 2);
  return make<Filter>(a.positional[0], iterate(runtime, a.positional[1]));
}
Value iter(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "iter", 1, 2);
  if (a.positional.size() == 2) return make<CallIterator>(a.positional[0], a.positional[1]);
  return iterate(runtime, a.positional[0]);
}
Value next(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "next", 1, 2);
  auto* iterator = a.positional[0].get_if<runtime::Iterator>();
  if (!iterator) throw Error(ErrorClass::TypeError, "'" + runtime::type_name(a.positional[0]) + "' object is not an iterator");
  Value result;
  if (iterator->next(runtime, result)) return result;
  if (a.positional.size() == 2) return a.positional[1];
  throw runtime::Raised{make<runtime::Exception>(ErrorClass::StopIteration, std::vector<Value>{})};
}

Value round(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "round", {"ndigits"});
  check_arguments({a.positional, {}, {}}, "round", 1, 2);
  const Value* digits = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "ndigits");
  Value v = a.positional[0];
  if (v.is(ObjectKind::Array)) throw Error(ErrorClass::TypeError, "type numpy.ndarray doesn't define __round__ method");
  if (auto* scalar = v.get_if<runtime::NumpyScalar>(); scalar && (ir::is_complex(scalar->dtype) || ir::is_bool(scalar->dtype)))
    throw Error(ErrorClass::TypeError, "type numpy." + runtime::type_name(v) + " doesn't define __round__ method");
  if (is_array_like(v)) {
    std::vector<Value> args = {v};
    if (digits && !digits->is_none()) args.push_back(*digits);
    Value rounded = runtime::numpy_call(runtime, ir::find_op("round"), {args, {}, {}});
    if (digits && !digits->is_none()) return rounded;
    if (v.is(ObjectKind::NumpyScalar)) return call(runtime, builtin_type(runtime, "int"), {std::span(&rounded, 1), {}, {}});
    return rounded;
  }
  bool to_int = !digits || digits->is_none();
  std::int64_t n = to_int ? 0 : index_of(*digits, "ndigits");
  if (v.is_float()) {
    double d = v.as_float();
    if (to_int) {
      if (std::isnan(d)) throw Error(ErrorClass::ValueError, "cannot convert float NaN to integer");
      if (std::isinf(d)) throw Error(ErrorClass::OverflowError, "cannot convert float infinity to integer");
      double r = std::nearbyint(d);
      return std::fabs(r) < 9e18 ? Value::integer(static_cast<std::int64_t>(r)) : runtime::make_int(runtime::BigInteger(r));
    }
    if (!std::isfinite(d) || n > 330) return v;
    if (n < -310) return Value::real(std::copysign(0.0, d));
    if (n >= 0) {
      // The decimal text is correctly rounded, half to even of the exact value, as CPython's.
      char text[800];
      std::snprintf(text, sizeof text, "%.*f", static_cast<int>(n), d);
      return Value::real(std::strtod(text, nullptr));
    }
    double scale = std::pow(10.0, static_cast<double>(-n)), q = d / scale, r = std::nearbyint(q);
    return Value::real(r * scale);
  }
  if (is_integer_value(v)) {
    if (to_int || n >= 0) return v.is_bool() ? Value::integer(v.as_bool()) : v;
    runtime::BigInteger big = runtime::big_value(v),
                        unit = boost::multiprecision::pow(runtime::BigInteger(10),
                                                          static_cast<unsigned>(std::min<std::int64_t>(-n, 5000)));
    runtime::BigInteger r = big % unit;
    if (r < 0) r += unit;
    big -= r;
    if (2 * r > unit || (2 * r == unit && (big / unit) % 2 != 0)) big += unit;
    return runtime::make_int(big);
  }
  throw Error(ErrorClass::TypeError, "type " + runtime::type_name(v) + " doesn't define __round__ method");
}

Value divmod(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "divmod", 2, 2);
  const Value &x = a.positional[0], &y = a.positional[1];
  bool zero = (y.is_float() && y.as_float() == 0) || (y.is_int() && y.as_int() == 0) || (y.is_bool() && !y.as_bool());
  if (zero && (x.is_float() || (y.is_float() && is_integer_value(x))))
    throw Error(ErrorClass::ZeroDivisionError, "float divmod()");
  return runtime::make_tuple({binary(runtime, BinaryOperator::FloorDiv, a.positional[0], a.positional[1]),
                              binary(runtime, BinaryOperator::Mod, a.positional[0], a.positional[1])});
}

Value pow(Runtime& runtime, const Arguments& a) {
  if (a.positional.size() == 1 && a.keyword_names.empty())
    throw Error(ErrorClass::TypeError, "pow() missing required argument 'exp' (pos 2)");
  check_arguments(a, "pow", 2, 3);
  if (a.positional.size() == 2 || a.positional[2].is_none())
    return binary(runtime, BinaryOperator::Pow, a.positional[0], a.positional[1]);
  for (const Value& v : a.positional)
    if (!is_integer_value(v))
      throw Error(ErrorClass::TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
  runtime::BigInteger b = runtime::big_value(a.positional[0]), e = runtime::big_value(a.positional[1]),
                      m = runtime::big_value(a.positional[2]);
  if (m == 0) throw Error(ErrorClass::ValueError, "pow() 3rd argument cannot be 0");
  runtime::BigInteger modulus = boost::multiprecision::abs(m);
  b %= modulus;
  if (b < 0) b += modulus;
  if (e < 0) {
    // The inverse by Euclid's algorithm.
    runtime::BigInteger r0 = modulus, r1 = b, t0 = 0, t1 = 1;
    while (r1 != 0) {
      runtime::BigInteger q = r0 / r1, r2 = r0 - q * r1, t2 = t0 - q * t1;
      r0 = r1;
      r1 = r2;
      t0 = t1;
      t1 = t2;
    }
    if (r0 != 1) throw Error(ErrorClass::ValueError, "base is not invertible for the given modulus");
    b = t0 % modulus;
    if (b < 0) b += modulus;
    e = -e;
  }
  runtime::BigInteger r = modulus == 1 ? runtime::BigInteger(0) : boost::multiprecision::powm(b, e, modulus);
  if (m < 0 && r != 0) r += m;
  return runtime::make_int(r);
}

template <char Type>
Value radix(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "hex", 1, 1);
  Value v = a.positional[0];
  if (!is_integer_value(v)) v = Value::integer(index_of(v, "integer"));
  return runtime::make_str(format(runtime, v, std::string("#") + Type));
}

Value isinstance(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "isinstance", 2, 2);
  return Value::boolean(is_instance(runtime, a.positional[0], a.positional[1]));
}
Value issubclass(Runtime&, const Arguments& a) {
  check_arguments(a, "issubclass", 2, 2);
  auto* x = a.positional[0].get_if<runtime::Callable>();
  auto one = [&](const Value& t) {
    auto* y = t.get_if<runtime::Callable>();
    if (!x || !y) throw Error(ErrorClass::TypeError, "issubclass() arg 1 must be a class");
    if (x->exception_class() && y->exception_class()) return ir::derives(*x->exception_class(), *y->exception_class());
    return x == y || y->callable_name() == "object" || (x->callable_name() == "bool" && y->callable_name() == "int");
  };
  if (auto* tuple = a.positional[1].get_if<runtime::Tuple>()) {
    for (const Value& t : tuple->items)
      if (one(t)) return Value::boolean(true);
    return Value::boolean(false);
  }
  return Value::boolean(one(a.positional[1]));
}
Value hasattr(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "hasattr", 2, 2);
  try {
    get_attribute(runtime, a.positional[0], runtime::text_of(a.positional[1], "attribute name"));
    return Value::boolean(true);
  } catch (const Error& e) {
    if (e.error_class() == ErrorClass::AttributeError) return Value::boolean(false);
    throw;
  }
}
Value getattr(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "getattr", 2, 3);
  try {
    return get_attribute(runtime, a.positional[0], runtime::text_of(a.positional[1], "attribute name"));
  } catch (const Error& e) {
    if (e.error_class() == ErrorClass::AttributeError && a.positional.size() == 3) return a.positional[2];
    throw;
  }
}
Value setattr(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "setattr", 3, 3);
  set_attribute(runtime, a.positional[0], runtime::text_of(a.positional[1], "attribute name"), a.positional[2]);
  return Value::none();
}
Value delattr(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "delattr", 2, 2);
  delete_attribute(runtime, a.positional[0], runtime::text_of(a.positional[1], "attribute name"));
  return Value::none();
}
Value callable(Runtime&, const Arguments& a) {
  check_arguments(a, "callable", 1, 1);
  return Value::boolean(a.positional[0].is(ObjectKind::Callable));
}
Value id(Runtime&, const Arguments& a) {
  check_arguments(a, "id", 1, 1);
  const Value& v = a.positional[0];
  return Value::integer(v.is_object() ? static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(v.object()))
                                      : 16 * static_cast<std::int64_t>(runtime::hash_value(v)) + static_cast<int>(v.tag()));
}
Value hash(Runtime&, const Arguments& a) {
  check_arguments(a, "hash", 1, 1);
  return Value::integer(runtime::hash_value(a.positional[0]));
}
Value repr_function(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "repr", 1, 1);
  return runtime::make_str(repr(runtime, a.positional[0]));
}
Value ascii_function(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "ascii", 1, 1);
  return runtime::make_str(ascii(runtime, a.positional[0]));
}
Value format_function(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "format", 1, 2);
  return runtime::make_str(
      format(runtime, a.positional[0], a.positional.size() > 1 ? runtime::text_of(a.positional[1], "format spec") : ""));
}
Value chr(Runtime&, const Arguments& a) {
  check_arguments(a, "chr", 1, 1);
  std::int64_t c = index_of(a.positional[0], "chr");
  if (c < 0 || c > 0x10ffff) throw Error(ErrorClass::ValueError, "chr() arg not in range(0x110000)");
  std::string text;
  append_utf8(text, static_cast<std::uint32_t>(c));
  return runtime::make_str(std::move(text));
}
Value ord(Runtime&, const Arguments& a) {
  check_arguments(a, "ord", 1, 1);
  if (auto* b = a.positional[0].get_if<runtime::Bytes>(); b && b->data.size() == 1)
    return Value::integer(static_cast<unsigned char>(b->data[0]));
  auto* s = a.positional[0].get_if<runtime::Str>();
  if (!s)
    throw Error(ErrorClass::TypeError,
                "ord() expected string of length 1, but " + runtime::type_name(a.positional[0]) + " found");
  if (s->length != 1)
    throw Error(ErrorClass::TypeError,
                "ord() expected a character, but string of length " + std::to_string(s->length) + " found");
  auto u = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(s->text[i])); };
  std::uint32_t c = u(0);
  if (c >= 0xf0)
    c = (c & 7) << 18 | (u(1) & 63) << 12 | (u(2) & 63) << 6 | (u(3) & 63);
  else if (c >= 0xe0)
    c = (c & 15) << 12 | (u(1) & 63) << 6 | (u(2) & 63);
  else if (c >= 0xc0)
    c = (c & 31) << 6 | (u(1) & 63);
  return Value::integer(c);
}

constexpr FunctionRow kFunctions[] = {{"print", print},
                                      {"len", len},
                                      {"abs", abs},
                                      {"max", extreme<true>},
                                      {"min", extreme<false>},
                                      {"sum", sum},
                                      {"all", quantify<true>},
                                      {"any", quantify<false>},
                                      {"sorted", sorted},
                                      {"reversed", reversed},
                                      {"enumerate", enumerate},
                                      {"zip", zip},
                                      {"map", map},
                                      {"filter", filter},
                                      {"iter", iter},
                                      {"next", next},
                                      {"round", round},
                                      {"divmod", divmod},
                                      {"pow", pow},
                                      {"bin", radix<'b'>},
                                      {"oct", radix<'o'>},
                                      {"hex", radix<'x'>},
                                      {"isinstance", isinstance},
                                      {"issubclass", issubclass},
                                      {"hasattr", hasattr},
                                      {"getattr", getattr},
                                      {"setattr", setattr},
                                      {"delattr", delattr},
                                      {"callable", callable},
                                      {"id", id},
                                      {"hash", hash},
                                      {"repr", repr_function},
                                      {"ascii", ascii_function},
                                      {"format", format_function},
                                      {"chr", chr},
                                      {"ord", ord}};

constexpr std::string_view kTypes[] = {"int",  "float", "complex",   "bool",  "str",   "bytes", "list",  "tuple",
                                       "dict", "set",   "frozenset", "range", "slice", "type",  "object"};
constexpr std::string_view kRefused[] = {"open",       "input",     "eval",  "exec",     "compile",     "globals",
                                         "locals",     "vars",      "super", "property", "classmethod", "staticmethod",
                                         "memoryview", "bytearray", "dir",   "help",     "breakpoint",  "__import__"};

// The nearest supported form of a refused builtin; empty when there is none.
std::string instead_of(std::string_view name) {
  if (name == "open") return "np.load, np.loadtxt and np.save read and write files";
  if (name == "input") return "take the value from sys.argv, or from --load";
  if (name == "eval" || name == "exec" || name == "compile") return "call the function directly: text is not run as code";
  if (name == "globals" || name == "locals" || name == "vars") return "keep the values in a dictionary";
  if (name == "super" || name == "property" || name == "classmethod" || name == "staticmethod")
    return "the language has no classes of its own";
  if (name == "bytearray" || name == "memoryview") return "use bytes, or an array of dtype uint8";
  if (name == "dir" || name == "help") return "`autoray ops` lists the operations";
  return {};
}

}  // namespace

Value builtin(Runtime& runtime, std::string_view name) {
  if (name == "NotImplemented") return Value::not_implemented();
  if (name == "Ellipsis") return Value::ellipsis();
  if (name == "IOError" || name == "EnvironmentError") name = "OSError";
  if (name == "__debug__") return Value::boolean(true);
  std::string key = "builtin " + std::string(name);
  if (auto found = runtime.language_objects.find(key); found != runtime.language_objects.end()) return found->second;
  Value function = find_function(kFunctions, name);
  if (!function.empty()) return runtime.language_objects[key] = function;
  for (std::string_view refused : kRefused)
    if (refused == name)
      throw Error(ErrorClass::NameError, "the builtin '" + std::string(name) + "' is not supported")
          .with_code(202)
          .with_hint(instead_of(name));
  for (std::string_view type : kTypes)
    if (type == name) return builtin_type(runtime, name);
  // Exception classes; numpy's own stand in their modules.
  if (name == "LinAlgError" || name == "AxisError" || name == "UFuncTypeError" || name == "DTypePromotionError") return {};
  Value type = builtin_type(runtime, name);
  if (auto* t = type.get_if<runtime::Callable>(); t && t->exception_class()) return type;
  return {};
}

std::vector<std::string_view> builtin_names() {
  std::vector<std::string_view> names(std::begin(kTypes), std::end(kTypes));
  for (const FunctionRow& row : kFunctions) names.push_back(row.name);
  for (int c = 0; c <= static_cast<int>(ErrorClass::UserWarning); ++c) names.push_back(ir::name(static_cast<ErrorClass>(c)));
  return names;
}

}  // namespace autoray::frontend
