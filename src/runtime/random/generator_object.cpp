#include "runtime/random/generator_object.h"

#include "ir/error.h"
#include "runtime/bigint.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/captures.h"
#include "runtime/random/random.h"
#include "runtime/random/random_state.h"
#include "runtime/random/selection.h"

namespace autoray::runtime {
namespace {

using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::OpId;

// ---- seeds ----

BigInteger integer_item(const Array& array) {
  BigInteger result;
  ir::visit_dtype(array.dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) result = *array.as<T>();
  });
  return result;
}

void append_words(BigInteger value, std::vector<std::uint32_t>& words) {
  if (value < 0) throw Error(ErrorClass::ValueError, "expected non-negative integer");
  do {
    words.push_back(static_cast<std::uint32_t>(value & 0xffffffffu));
    value >>= 32;
  } while (value != 0);
}

bool is_integer_value(const Value& value) {
  if (value.is_int() || value.is_bool() || value.is(ObjectKind::BigInt)) return true;
  auto* scalar = value.get_if<NumpyScalar>();
  return scalar && (ir::is_integer(scalar->dtype) || scalar->dtype == DType::Bool);
}

BigInteger integer_value(const Value& value) {
  if (auto* scalar = value.get_if<NumpyScalar>()) {
    Array view;
    view.dtype = scalar->dtype;
    view.data = scalar->data;
    return integer_item(view);
  }
  return big_value(value);
}

void append_seed(const Value& value, std::vector<std::uint32_t>& words, int depth) {
  if (depth > ir::kMaxDims) throw Error(ErrorClass::RecursionError, "a seed nested this deeply is not supported");
  if (is_integer_value(value)) return append_words(integer_value(value), words);
  auto append_items = [&](const std::vector<Value>& items) {
    for (const Value& item : items) append_seed(item, words, depth + 1);
  };
  if (auto* list = value.get_if<List>()) return append_items(list->items);
  if (auto* tuple = value.get_if<Tuple>()) return append_items(tuple->items);
  if (auto* range = value.get_if<Range>()) {
    for (std::int64_t i = 0; i < range->size(); ++i) append_words(range->start + i * range->step, words);
    return;
  }
  if (auto* object = value.get_if<ArrayObject>()) {
    const Array& array = object->array;
    if (!ir::is_integer(array.dtype) && array.dtype != DType::Bool) throw Error(ErrorClass::TypeError, "seed must be integer");
    ir::Dims index(array.shape.size(), 0);
    for (std::int64_t n = array.size(); n > 0; --n) {
      Array item = array;
      for (std::size_t i = 0; i < index.size(); ++i) item.data += index[i] * array.strides[i];
      append_words(integer_item(item), words);
      for (std::size_t i = index.size(); i-- > 0 && ++index[i] == array.shape[i];) index[i] = 0;
    }
    return;
  }
  if (depth > 0) throw Error(ErrorClass::TypeError, "seed must be integer");
  std::string shown = "a " + type_name(value);
  if (auto* text = value.get_if<Str>()) shown = text->text;
  if (value.is_float()) shown = from_attr(ir::Attr(value.as_float())).is_float() ? std::to_string(value.as_float()) : shown;
  if (value.is_float())
    while (shown.back() == '0' && shown[shown.size() - 2] != '.') shown.pop_back();
  throw Error(ErrorClass::TypeError, "SeedSequence expects int or sequence of ints for entropy not " + shown);
}

template <class T>
T* native(const Value& value) {
  return value.is(ObjectKind::Native) ? dynamic_cast<T*>(value.object()) : nullptr;
}

SeedSequence seed_sequence(const Value& seed) {
  if (seed.is_none() || seed.empty()) return SeedSequence::from_system();
  if (auto* object = native<SeedSequenceObject>(seed)) return object->sequence;
  std::vector<std::uint32_t> words;
  append_seed(seed, words, 0);
  return SeedSequence(std::move(words));
}

Ref<BitGeneratorObject> make_pcg64(const SeedSequence& seed) {
  return make<BitGeneratorObject>(BitGenerator(Pcg64(seed)), seed);
}

// np.random.seed's rule: an int of 32 bits, or a vector of them.
Mt19937 legacy_seeded(Runtime& runtime, const Value& seed) {
  if (seed.is_none() || seed.empty()) return Mt19937(SeedSequence::from_system());
  auto word = [](const BigInteger& value) {
    if (value < 0 || value > 0xffffffffu) throw Error(ErrorClass::ValueError, "Seed must be between 0 and 2**32 - 1");
    return static_cast<std::uint32_t>(value);
  };
  if (is_integer_value(seed)) return Mt19937(word(integer_value(seed)));
  bool vector =
      seed.is(ObjectKind::List) || seed.is(ObjectKind::Tuple) || seed.is(ObjectKind::Range) || seed.is(ObjectKind::Array);
  if (!vector) {
    std::string from = seed.is_float()            ? "float64"
                       : seed.is(ObjectKind::Str) ? "<U" + std::to_string(seed.as<Str>().length)
                                                  : type_name(seed);
    throw Error(ErrorClass::TypeError,
                "Cannot cast scalar from dtype('" + from + "') to dtype('int64') according to the rule 'safe'");
  }
  Array array = to_array(runtime, seed);
  if (array.size() == 0) throw Error(ErrorClass::ValueError, "Seed must be non-empty");
  if (!ir::can_cast(array.dtype, DType::Int64, ir::Casting::Safe))
    throw Error(ErrorClass::TypeError, "Cannot cast array data from dtype('" + std::string(ir::name(array.dtype)) +
                                           "') to dtype('int64') according to the rule 'safe'");
  if (array.ndim() == 0 || (array.ndim() == 1 && seed.is(ObjectKind::Array) && array.size() == 1))
    return Mt19937(word(integer_item(array)));  // numpy squeezes arrays
  if (array.ndim() != 1) throw Error(ErrorClass::ValueError, "Seed array must be 1-d");
  std::vector<std::uint32_t> words;
  for (std::int64_t i = 0; i < array.shape[0]; ++i) {
    Array item = array;
    item.data += i * array.strides[0];
    words.push_back(word(integer_item(item)));
  }
  return Mt19937(std::span<const std::uint32_t>(words));
}

// ---- methods ----

// A call's arguments with some taken out or added.
struct EditedArguments {
  explicit EditedArguments(const Arguments& arguments)
      : positional(arguments.positional.begin(), arguments.positional.end()),
        names(arguments.keyword_names.begin(), arguments.keyword_names.end()),
        values(arguments.keyword_values.begin(), arguments.keyword_values.end()) {}
  Value* find(std::string_view name, std::size_t position) {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) return &values[i];
    return position < positional.size() ? &positional[position] : nullptr;
  }
  Value take(std::string_view name, std::size_t position) {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) {
        Value value = std::move(values[i]);
        names.erase(names.begin() + static_cast<std::ptrdiff_t>(i));
        values.erase(values.begin() + static_cast<std::ptrdiff_t>(i));
        return value;
      }
    if (position + 1 == positional.size()) {
      Value value = std::move(positional.back());
      positional.pop_back();
      return value;
    }
    return {};
  }
  void set(std::string_view name, Value value) {
    names.push_back(name);
    values.push_back(std::move(value));
  }
  Arguments view() const { return {positional, names, values}; }

  std::vector<Value> positional;
  std::vector<std::string_view> names;
  std::vector<Value> values;
};

// rng.random(out=...): drawn in out's shape, then stored.
Value draw_into(Runtime& runtime, OpId id, BitGenerator& stream, const Arguments& arguments, std::size_t out_position) {
  EditedArguments edited(arguments);
  Value out = edited.take("out", out_position);
  if (out.empty() || out.is_none()) return runtime.call(id, runtime.native_backend(), edited.view(), &stream);
  auto* target = out.get_if<ArrayObject>();
  if (!target) throw Error(ErrorClass::TypeError, "'" + type_name(out) + "' object cannot be used as out");
  Value* size = edited.find(
      "size",
      id == OpId::GeneratorStandardExponential || id == OpId::GeneratorRandom || id == OpId::GeneratorStandardNormal ? 0 : 99);
  if (!size || size->is_none()) {
    std::vector<Value> extents;
    for (std::int64_t extent : target->array.shape) extents.push_back(Value::integer(extent));
    if (size) {
      *size = make_tuple(std::move(extents));
    } else {
      edited.set("size", make_tuple(std::move(extents)));
    }
  }
  // Checked before anything is drawn.
  DType wanted = DType::Float64;
  if (Value* dtype = edited.find("dtype", 1)) wanted = to_dtype(*dtype).value_or(DType::Float64);
  if (wanted != target->array.dtype)
    throw Error(ErrorClass::TypeError, "Supplied output array has the wrong type. Expected " + std::string(ir::name(wanted)) +
                                           ", got " + std::string(ir::name(target->array.dtype)));
  if (!target->array.can_write() || !target->array.c_contiguous())
    throw Error(ErrorClass::ValueError,
                "Supplied output array must be contiguous, writable, aligned, and in machine byte-order.");
  Value drawn = runtime.call(id, runtime.native_backend(), edited.view(), &stream);
  const Array& result = drawn.as<ArrayObject>().array;
  if (!(result.shape == target->array.shape))
    throw Error(ErrorClass::ValueError, "size must match out.shape when used together");
  store_result(runtime, ir::op(id).path, result, target->array, ir::Casting::SameKind, std::nullopt);
  return out;
}

// rng.integers: bounds beyond int64 and the Python types int and bool as dtype are the language's, not the
// table's.
Value draw_integers(Runtime& runtime, BitGenerator& stream, const Arguments& arguments) {
  EditedArguments edited(arguments);
  Value* dtype = edited.find("dtype", 3);
  bool python_int = false, python_bool = false;
  if (dtype)
    if (auto* type = dtype->get_if<Callable>()) {
      python_int = type->callable_name() == "int";
      Value module;
      python_bool = type->callable_name() == "bool" && type->callable_type() == "type" &&
                    type->get_attribute(runtime, "__module__", module) && module.is(ObjectKind::Str) &&
                    module.as<Str>().text == "builtins";
    }
  Value* low = edited.find("low", 0);
  Value* high = edited.find("high", 1);
  auto bound = [&](Value* value, const char* what, bool exclusive) {
    auto* big = value ? value->get_if<BigInt>() : nullptr;
    if (!big) return;
    if (exclusive && big->value == BigInteger(1) << 64) {
      // 2^64 itself is no 64-bit integer; the last included one is.
      Value* endpoint = edited.find("endpoint", 4);
      bool closed = endpoint && endpoint->is_bool() && endpoint->as_bool();
      Value* first = value == low ? nullptr : low;
      bool scalar_low = !first || is_integer_value(*first);
      if (!closed && scalar_low) {
        Value start = first ? *first : Value::integer(0);
        Value last = make_int((BigInteger(1) << 64) - 1);
        edited.take("endpoint", 4);
        if (value == low) {
          Value shifted = last;
          *value = start;
          edited.set("high", shifted);
        } else {
          *value = last;
        }
        edited.set("endpoint", Value::boolean(true));
        return;
      }
    }
    if (big->value < 0 || big->value > BigInteger(UINT64_MAX)) {
      DType name = dtype ? to_dtype(*dtype).value_or(DType::Int64) : DType::Int64;
      throw Error(ErrorClass::ValueError, std::string(what) + " is out of bounds for " + std::string(ir::name(name)));
    }
  };
  bool has_high = high && !high->is_none();
  if (has_high) {
    bound(low, "low", false);
    bound(high, "high", true);
  } else {
    bound(low, "high", true);
  }
  Value result = runtime.call(OpId::GeneratorIntegers, runtime.native_backend(), edited.view(), &stream);
  auto* scalar = result.get_if<NumpyScalar>();
  if (!scalar) return result;
  if (python_int) return make_int(integer_value(result));
  if (python_bool) return Value::boolean(scalar->data[0] != 0);
  return result;
}

// shuffle(x, axis=0): arrays and lists in place.
Value shuffle_value(Runtime& runtime, BitGenerator& stream, const Value& x, std::int64_t axis) {
  if (auto* object = x.get_if<ArrayObject>()) {
    if (object->array.ndim() == 0) throw Error(ErrorClass::TypeError, "len() of unsized object");
    shuffle_array(runtime, stream, object->array, ir::normalize_axis(axis, object->array.ndim()));
    return Value::none();
  }
  if (axis != 0) throw Error(ErrorClass::NotImplementedError, "Axis argument is only supported on ndarray objects");
  auto* list = x.get_if<List>();
  if (!list) {
    if (x.is(ObjectKind::Tuple) || x.is(ObjectKind::Str) || x.is(ObjectKind::Range))
      throw Error(ErrorClass::TypeError, "'" + type_name(x) + "' object does not support item assignment");
    throw Error(ErrorClass::TypeError, "object of type '" + type_name(x) + "' has no len()");
  }
  auto n = static_cast<std::int64_t>(list->items.size());
  std::vector<std::int64_t> order = shuffled_order(runtime, stream, n);
  std::vector<Value> shuffled;
  shuffled.reserve(list->items.size());
  for (std::int64_t place : order) shuffled.push_back(list->items[static_cast<std::size_t>(place)]);
  list->items = std::move(shuffled);
  return Value::none();
}

// One item of a list of things that no array holds (strings): its place is drawn.
bool is_text_sequence(const Value* value) {
  if (!value) return false;
  const std::vector<Value>* items = nullptr;
  if (auto* list = value->get_if<List>()) items = &list->items;
  if (auto* tuple = value->get_if<Tuple>()) items = &tuple->items;
  return items && !items->empty() && (*items)[0].is(ObjectKind::Str);
}

Value choose_value(Runtime& runtime, OpId id, BitGenerator& stream, const Arguments& arguments) {
  EditedArguments edited(arguments);
  Value* a = edited.find("a", 0);
  if (!is_text_sequence(a)) return runtime.call(id, runtime.native_backend(), arguments, &stream);
  Value sequence = *a;
  const std::vector<Value>& items = sequence.is(ObjectKind::List) ? sequence.as<List>().items : sequence.as<Tuple>().items;
  *a = Value::integer(static_cast<std::int64_t>(items.size()));
  Value place = runtime.call(id, runtime.native_backend(), edited.view(), &stream);
  if (!place.is_int())
    throw Error(ErrorClass::NotImplementedError, "arrays of text are not supported: draw places with choice(len(a), size=...)");
  return items[static_cast<std::size_t>(place.as_int())];
}

struct Method {
  std::string_view name;
  OpId id;
};
constexpr Method kGeneratorMethods[] = {
    {"random", OpId::GeneratorRandom},           {"uniform", OpId::GeneratorUniform},
    {"normal", OpId::GeneratorNormal},           {"standard_normal", OpId::GeneratorStandardNormal},
    {"exponential", OpId::GeneratorExponential}, {"standard_exponential", OpId::GeneratorStandardExponential},
    {"integers", OpId::GeneratorIntegers},       {"choice", OpId::GeneratorChoice},
    {"permutation", OpId::GeneratorPermutation},
};
constexpr Method kLegacyMethods[] = {
    {"normal", OpId::RandomNormal},
    {"uniform", OpId::RandomUniform},
    {"exponential", OpId::RandomExponential},
    {"standard_normal", OpId::RandomStandardNormal},
    {"standard_exponential", OpId::RandomStandardExponential},
    {"random", OpId::RandomRandom},
    {"random_sample", OpId::RandomRandom},
    {"rand", OpId::RandomRand},
    {"randn", OpId::RandomRandn},
    {"randint", OpId::RandomRandint},
    {"choice", OpId::RandomChoice},
    {"permutation", OpId::RandomPermutation},
};

std::int64_t count_argument(Runtime& runtime, const Arguments& arguments, std::string_view name, std::int64_t otherwise) {
  EditedArguments edited(arguments);
  Value* value = edited.find(name, 0);
  return value ? ir::as_int(to_attr(runtime, *value), name) : otherwise;
}

void only_parameters(std::string_view function, const Arguments& arguments, std::initializer_list<std::string_view> names,
                     std::size_t required) {
  if (arguments.positional.size() > names.size())
    throw Error(ErrorClass::TypeError, std::string(function) + "() takes at most " + std::to_string(names.size()) +
                                           " positional arguments (" + std::to_string(arguments.positional.size()) + " given)");
  for (std::string_view given : arguments.keyword_names)
    if (std::find(names.begin(), names.end(), given) == names.end())
      throw Error(ErrorClass::TypeError,
                  std::string(function) + "() got an unexpected keyword argument '" + std::string(given) + "'");
  if (arguments.size() < required)
    throw Error(ErrorClass::TypeError, std::string(function) + "() takes at least " + std::to_string(required) +
                                           " positional argument (" + std::to_string(arguments.size()) + " given)");
}

// What is no recorded draw would move a stream when the function is traced, and never again.
void advance_outside(Runtime& runtime, const char* what = "moves a generator by what is no draw of an array") {
  if (runtime.captures) runtime.captures->refuse(what);
}

}  // namespace

bool SeedSequenceObject::get_attribute(Runtime&, std::string_view name, Value& result) {
  auto self = Ref<SeedSequenceObject>::share(this);
  if (name == "spawn") {
    result = make_native("spawn", [self](Runtime& runtime, const Arguments& arguments) {
      only_parameters("spawn", arguments, {"n_children"}, 1);
      advance_outside(runtime);
      std::vector<Value> children;
      for (std::int64_t n = count_argument(runtime, arguments, "n_children", 0); n > 0; --n)
        children.push_back(make<SeedSequenceObject>(self->sequence.spawn()));
      return make_list(std::move(children));
    });
  } else if (name == "generate_state") {
    result = make_native("generate_state", [self](Runtime& runtime, const Arguments& arguments) {
      only_parameters("generate_state", arguments, {"n_words"}, 1);
      ir::Dims shape = ir::as_shape(ir::Attr(count_argument(runtime, arguments, "n_words", 0)), "n_words");
      Array words = runtime.allocate(DType::UInt32, shape);
      self->sequence.generate(std::span(words.as<std::uint32_t>(), static_cast<std::size_t>(shape[0])));
      return make_array(std::move(words));
    });
  } else {
    return false;
  }
  return true;
}

bool BitGeneratorObject::get_attribute(Runtime&, std::string_view name, Value& result) {
  auto self = Ref<BitGeneratorObject>::share(this);
  if (name == "random_raw") {
    result = make_native("random_raw", [self](Runtime& runtime, const Arguments& arguments) -> Value {
      only_parameters("random_raw", arguments, {"size"}, 0);
      advance_outside(runtime);
      // The Mersenne twister's words have 32 bits.
      auto next = [&] {
        return std::holds_alternative<Mt19937>(self->generator.engine) ? self->generator.next_uint32()
                                                                       : self->generator.next_uint64();
      };
      if (arguments.size() == 0) return make_int(BigInteger(next()));
      ir::Dims shape = ir::as_shape(ir::Attr(count_argument(runtime, arguments, "size", 0)), "size");
      Array words = runtime.allocate(DType::UInt64, shape);
      for (std::int64_t i = 0; i < shape[0]; ++i) words.as<std::uint64_t>()[i] = next();
      return make_array(std::move(words));
    });
  } else if (name == "seed_seq") {
    result = make<SeedSequenceObject>(seed);
  } else {
    return false;
  }
  return true;
}

bool GeneratorObject::get_attribute(Runtime&, std::string_view name, Value& result) {
  auto self = Ref<GeneratorObject>::share(this);
  if (name == "bit_generator") {
    result = bits;
    return true;
  }
  if (name == "shuffle") {
    result = make_native("shuffle", [self](Runtime& runtime, const Arguments& arguments) {
      only_parameters("shuffle", arguments, {"x", "axis"}, 1);
      advance_outside(runtime);
      EditedArguments edited(arguments);
      Value *x = edited.find("x", 0), *axis = edited.find("axis", 1);
      if (!x) throw Error(ErrorClass::TypeError, "shuffle() needs argument 'x'");
      return shuffle_value(runtime, self->bits->generator, *x, axis ? ir::as_int(to_attr(runtime, *axis), "axis") : 0);
    });
    return true;
  }
  if (name == "spawn") {
    result = make_native("spawn", [self](Runtime& runtime, const Arguments& arguments) {
      only_parameters("spawn", arguments, {"n_children"}, 1);
      advance_outside(runtime);
      std::vector<Value> children;
      for (std::int64_t n = count_argument(runtime, arguments, "n_children", 0); n > 0; --n)
        children.push_back(make<GeneratorObject>(make_pcg64(self->bits->seed.spawn())));
      return make_list(std::move(children));
    });
    return true;
  }
  for (const Method& method : kGeneratorMethods) {
    if (method.name != name) continue;
    OpId id = method.id;
    result = make_native(std::string(name), [self, id](Runtime& runtime, const Arguments& arguments) {
      BitGenerator& stream = self->bits->generator;
      switch (id) {
        case OpId::GeneratorRandom:
        case OpId::GeneratorStandardNormal: return draw_into(runtime, id, stream, arguments, 2);
        case OpId::GeneratorStandardExponential: return draw_into(runtime, id, stream, arguments, 3);
        case OpId::GeneratorIntegers: return draw_integers(runtime, stream, arguments);
        case OpId::GeneratorChoice: return choose_value(runtime, id, stream, arguments);
        default: return runtime.call(id, runtime.native_backend(), arguments, &stream);
      }
    });
    return true;
  }
  return false;
}

std::vector<std::string> GeneratorObject::attribute_names() const {
  std::vector<std::string> names = {"bit_generator", "shuffle", "spawn"};
  for (const Method& method : kGeneratorMethods) names.emplace_back(method.name);
  return names;
}

bool RandomStateObject::get_attribute(Runtime&, std::string_view name, Value& result) {
  auto self = Ref<RandomStateObject>::share(this);
  if (name == "seed") {
    result = make_native("seed", [self](Runtime& runtime, const Arguments& arguments) {
      only_parameters("seed", arguments, {"seed"}, 0);
      EditedArguments edited(arguments);
      Value* seed = edited.find("seed", 0);
      advance_outside(runtime, "seeds a generator");
      self->generator = BitGenerator(legacy_seeded(runtime, seed ? *seed : Value::none()));
      return Value::none();
    });
    return true;
  }
  if (name == "shuffle") {
    result = make_native("shuffle", [self](Runtime& runtime, const Arguments& arguments) {
      only_parameters("shuffle", arguments, {"x"}, 1);
      advance_outside(runtime);
      EditedArguments edited(arguments);
      return shuffle_value(runtime, self->generator, *edited.find("x", 0), 0);
    });
    return true;
  }
  for (const Method& method : kLegacyMethods) {
    if (method.name != name) continue;
    OpId id = method.id;
    result = make_native(std::string(name), [self, id](Runtime& runtime, const Arguments& arguments) {
      if (id == OpId::RandomChoice) return choose_value(runtime, id, self->generator, arguments);
      return runtime.call(id, runtime.native_backend(), arguments, &self->generator);
    });
    return true;
  }
  return false;
}

std::vector<std::string> RandomStateObject::attribute_names() const {
  std::vector<std::string> names = {"seed", "shuffle"};
  for (const Method& method : kLegacyMethods) names.emplace_back(method.name);
  return names;
}

// ---- functions of numpy.random that are not draws ----

namespace {

Value seed_function(HostCall& call) {
  legacy_stream(call.runtime) = BitGenerator(legacy_seeded(call.runtime, call.args[0]));
  return Value::none();
}

Value shuffle_function(HostCall& call) { return shuffle_value(call.runtime, legacy_stream(call.runtime), call.args[0], 0); }

Value default_rng_function(HostCall& call) {
  const Value& seed = call.args[0];
  if (native<GeneratorObject>(seed)) return seed;
  if (auto* bits = native<BitGeneratorObject>(seed)) return make<GeneratorObject>(Ref<BitGeneratorObject>::share(bits));
  return make<GeneratorObject>(make_pcg64(seed_sequence(seed)));
}

Value generator_function(HostCall& call) {
  auto* bits = native<BitGeneratorObject>(call.args[0]);
  if (!bits) throw Error(ErrorClass::AttributeError, "'" + type_name(call.args[0]) + "' object has no attribute 'capsule'");
  return make<GeneratorObject>(Ref<BitGeneratorObject>::share(bits));
}

Value random_state_function(HostCall& call) {
  return make<RandomStateObject>(BitGenerator(legacy_seeded(call.runtime, call.args[0])));
}

Value pcg64_function(HostCall& call) { return make_pcg64(seed_sequence(call.args[0])); }

Value mt19937_function(HostCall& call) {
  SeedSequence seed = seed_sequence(call.args[0]);
  return make<BitGeneratorObject>(BitGenerator(Mt19937(seed)), seed);
}

Value seed_sequence_function(HostCall& call) { return make<SeedSequenceObject>(seed_sequence(call.args[0])); }

}  // namespace

std::span<const HostRow> random_hosts() {
  static constexpr HostRow kRows[] = {
      {OpId::RandomSeed, outside_traces<seed_function>},
      {OpId::RandomShuffle, outside_traces<shuffle_function>},
      {OpId::RandomDefaultRng, outside_traces<default_rng_function>},
      {OpId::RandomGenerator, outside_traces<generator_function>},
      {OpId::RandomState, outside_traces<random_state_function>},
      {OpId::RandomPcg64, outside_traces<pcg64_function>},
      {OpId::RandomMt19937, outside_traces<mt19937_function>},
      {OpId::RandomSeedSequence, outside_traces<seed_sequence_function>},
  };
  return kRows;
}

}  // namespace autoray::runtime
