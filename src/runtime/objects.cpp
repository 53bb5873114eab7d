#include "runtime/objects.h"

#include <cmath>
#include <cstring>

#include "runtime/bigint.h"
#include "runtime/dispatch.h"

namespace autoray::runtime {

// ---- arrays and scalars ----

NumpyScalar::NumpyScalar(ir::DType d, const void* item) : Object(kKind), dtype(d) { std::memcpy(data, item, ir::itemsize(d)); }
NumpyScalar::NumpyScalar(ir::DType d, Ref<Object> node) : Object(kKind), dtype(d), recorded(std::move(node)) {
  deferred_ = true;
}

namespace {
struct FreeObject {
  FreeObject* next;
};
constexpr int kKeptArrays = 256;
constinit thread_local FreeObject* free_arrays = nullptr;
// How many more may be kept: none before the list has an owner, which empties it when the thread ends, and none after.
constinit thread_local int room_for_arrays = 0;
constinit thread_local bool owned = false;
struct FreeArraysOwner {
  FreeArraysOwner() { owned = true, room_for_arrays = kKeptArrays; }
  ~FreeArraysOwner() {
    room_for_arrays = 0;
    while (free_arrays) {
      FreeObject* next = free_arrays->next;
      ::operator delete(free_arrays);
      free_arrays = next;
    }
  }
};
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kRecycle = false;
#else
constexpr bool kRecycle = true;
#endif

[[gnu::noinline]] void delete_array(void* memory) {
  if (kRecycle && !owned) {
    static thread_local FreeArraysOwner owner;
    (void)owner;
  }
  ::operator delete(memory);
}
}  // namespace

void* ArrayObject::operator new(std::size_t size) {
  if (FreeObject* block = free_arrays) {
    free_arrays = block->next;
    ++room_for_arrays;
    return block;
  }
  return ::operator new(size);
}

void ArrayObject::operator delete(void* memory) {
  if (room_for_arrays <= 0) [[unlikely]]
    return delete_array(memory);
  --room_for_arrays;
  auto* block = static_cast<FreeObject*>(memory);
  block->next = free_arrays;
  free_arrays = block;
}

namespace {
std::int64_t count_code_points(std::string_view text) {
  std::int64_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}
}  // namespace

Str::Str(std::string t) : Object(kKind), text(std::move(t)), length(count_code_points(text)) {}

std::int64_t Range::size() const {
  if (step > 0 ? start >= stop : start <= stop) return 0;
  auto distance = static_cast<std::uint64_t>(step > 0 ? stop : start) - static_cast<std::uint64_t>(step > 0 ? start : stop);
  auto stride = step > 0 ? static_cast<std::uint64_t>(step) : std::uint64_t{0} - static_cast<std::uint64_t>(step);
  return static_cast<std::int64_t>((distance - 1) / stride + 1);
}

// ---- cycles ----

namespace {
constinit thread_local Heap* current_heap = nullptr;
}

struct Heap::Sentinel final : Container {
  Sentinel() : Container(ObjectKind::Cell) { previous_ = next_ = this; }
  void clear() override {}
  using Container::next_;
  using Container::previous_;
};

Container::Container(ObjectKind kind) : Object(kind), previous_(nullptr), next_(nullptr) {
  if (!current_heap || !current_heap->list_) return;
  Container* head = current_heap->list_.get();
  next_ = head->next_;
  previous_ = head;
  head->next_->previous_ = this;
  head->next_ = this;
}

Container::~Container() {
  if (!next_) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
}

Heap::Heap() {
  Heap* outer = std::exchange(current_heap, nullptr);
  list_ = std::make_unique<Sentinel>();
  current_heap = outer;
}

Heap::~Heap() {
  Container* head = list_.get();
  while (head->next_ != head) {
    Container* container = head->next_;
    head->next_ = container->next_;
    container->next_->previous_ = head;
    container->previous_ = container->next_ = nullptr;
    container->retain();
    container->clear();
    container->release();
  }
}

HeapScope::HeapScope(Heap& heap) : outer_(std::exchange(current_heap, &heap)) {}
HeapScope::~HeapScope() { current_heap = outer_; }

void List::clear() {
  std::vector<Value> dropped;
  dropped.swap(items);
}

void Exception::clear() {
  args.clear();
  cause.clear();
  context.clear();
  place.clear();
}

// ---- dictionaries ----

namespace {
constexpr std::int32_t kFree = -1, kDeleted = -2;
}

void Dict::clear() {
  std::vector<Entry> dropped;
  dropped.swap(entries_);
  slots_.clear();
  live_ = 0;
  ++version_;
}

std::int64_t Dict::locate(std::int64_t hash, const Value& key) const {
  if (slots_.empty()) return -1;
  std::size_t mask = slots_.size() - 1;
  auto mixed = static_cast<std::uint64_t>(hash) * 0x9e3779b97f4a7c15u;
  for (std::size_t at = (mixed >> 32) & mask;; at = (at + 1) & mask) {
    std::int32_t entry = slots_[at];
    if (entry == kFree) return -1;
    if (entry == kDeleted) continue;
    const Entry& e = entries_[entry];
    if (e.hash == hash && (e.key.identical(key) || values_equal(nullptr, e.key, key))) return static_cast<std::int64_t>(at);
  }
}

void Dict::rebuild(std::size_t slots) {
  if (static_cast<std::int64_t>(entries_.size()) != live_)
    std::erase_if(entries_, [](const Entry& entry) { return entry.key.empty(); });
  slots_.assign(slots, kFree);
  std::size_t mask = slots - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto mixed = static_cast<std::uint64_t>(entries_[i].hash) * 0x9e3779b97f4a7c15u;
    std::size_t at = (mixed >> 32) & mask;
    while (slots_[at] != kFree) at = (at + 1) & mask;
    slots_[at] = static_cast<std::int32_t>(i);
  }
}

Value* Dict::find(const Value& key) {
  std::int64_t at = locate(hash_value(key), key);
  return at < 0 ? nullptr : &entries_[slots_[at]].value;
}

Value* Dict::find(std::string_view key) {
  if (slots_.empty()) return nullptr;
  std::int64_t hash = hash_text(key);
  std::size_t mask = slots_.size() - 1;
  auto mixed = static_cast<std::uint64_t>(hash) * 0x9e3779b97f4a7c15u;
  for (std::size_t at = (mixed >> 32) & mask;; at = (at + 1) & mask) {
    std::int32_t entry = slots_[at];
    if (entry == kFree) return nullptr;
    if (entry == kDeleted) continue;
    Entry& e = entries_[entry];
    if (e.hash != hash) continue;
    if (auto* text = e.key.get_if<Str>(); text && text->text == key) return &e.value;
  }
}

Value& Dict::operator[](const Value& key) {
  std::int64_t hash = hash_value(key);
  if (std::int64_t at = locate(hash, key); at >= 0) return entries_[slots_[at]].value;
  // At most two thirds full, deleted slots counted.
  if (3 * (entries_.size() + 1) > 2 * slots_.size()) {
    std::size_t slots = 8;
    while (slots < 3 * static_cast<std::size_t>(live_ + 1)) slots *= 2;
    rebuild(slots);
  }
  std::size_t mask = slots_.size() - 1;
  auto mixed = static_cast<std::uint64_t>(hash) * 0x9e3779b97f4a7c15u;
  std::size_t at = (mixed >> 32) & mask;
  while (slots_[at] >= 0) at = (at + 1) & mask;
  slots_[at] = static_cast<std::int32_t>(entries_.size());
  entries_.push_back({hash, key, Value()});
  ++live_;
  ++version_;
  return entries_.back().value;
}

void Dict::set(std::string_view key, Value value) {
  if (Value* place = find(key)) {
    *place = std::move(value);
  } else {
    (*this)[make_str(std::string(key))] = std::move(value);
  }
}

Value Dict::pop(const Value& key) {
  std::int64_t at = locate(hash_value(key), key);
  if (at < 0) return {};
  Entry& entry = entries_[slots_[at]];
  slots_[at] = kDeleted;
  Value value = std::move(entry.value);
  Value dropped = std::move(entry.key);
  --live_;
  ++version_;
  if (live_ == 0) {
    entries_.clear();
    slots_.assign(slots_.size(), kFree);
  }
  return value;
}

// ---- dtypes ----

bool DTypeObject::get_attribute(Runtime&, std::string_view name, Value& result) {
  if (name == "name") {
    result = make_str(std::string(ir::name(dtype)));
  } else if (name == "itemsize") {
    result = Value::integer(static_cast<std::int64_t>(ir::itemsize(dtype)));
  } else if (name == "kind") {
    result = make_str(std::string(1, ir::kind_letter(dtype)));
  } else if (name == "char") {
    result = make_str(std::string(1, ir::type_code(dtype)));
  } else if (name == "str") {
    char order = ir::itemsize(dtype) == 1 ? '|' : '<';
    result = make_str(std::string(1, order) + ir::kind_letter(dtype) + std::to_string(ir::itemsize(dtype)));
  } else if (name == "num") {
    static constexpr int kNumbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 23, 11, 12, 14, 15};
    result = Value::integer(kNumbers[static_cast<int>(dtype)]);
  } else if (name == "alignment") {
    std::int64_t size = static_cast<std::int64_t>(ir::itemsize(dtype));
    result = Value::integer(ir::is_complex(dtype) ? size / 2 : size);
  } else if (name == "ndim") {
    result = Value::integer(0);
  } else if (name == "shape") {
    result = make_tuple({});
  } else if (name == "byteorder") {
    result = make_str(ir::itemsize(dtype) == 1 ? "|" : "=");
  } else if (name == "isnative") {
    result = Value::boolean(true);
  } else if (name == "hasobject") {
    result = Value::boolean(false);
  } else {
    return false;
  }
  return true;
}

std::vector<std::string> DTypeObject::attribute_names() const {
  return {"name", "itemsize", "kind",      "char",     "str",       "num", "alignment",
          "ndim", "shape",    "byteorder", "isnative", "hasobject", "type"};
}

std::string DTypeObject::repr() const { return "dtype('" + std::string(ir::name(dtype)) + "')"; }

// ---- makers ----

Value make_str(std::string text) { return make<Str>(std::move(text)); }
Value make_complex(std::complex<double> value) { return make<Complex>(value); }
Value make_tuple(std::vector<Value> items) { return make<Tuple>(std::move(items)); }
Value make_list(std::vector<Value> items) { return make<List>(std::move(items)); }
Value make_array(Array array) { return make<ArrayObject>(std::move(array)); }
Value make_dtype(ir::DType dtype) { return make<DTypeObject>(dtype); }
Value make_native(std::string name, NativeFunction::Function function) {
  return make<NativeFunction>(std::move(name), std::move(function));
}

Value make_scalar(ir::DType dtype, const void* data, BackendId backend) {
  auto scalar = make<NumpyScalar>(dtype, data);
  scalar->backend = backend;
  return scalar;
}

Value make_exception(const ir::Error& error) {
  auto exception = make<Exception>(error.error_class(), std::vector<Value>{make_str(error.message())});
  exception->code = error.code();
  exception->hint = error.hint();
  exception->operands = error.operands();
  exception->source = error.source();
  exception->source_frames = error.source_frames();
  return exception;
}

const std::string& text_of(const Value& value, std::string_view what) {
  if (auto* text = value.get_if<Str>()) return text->text;
  throw ir::Error(ir::ErrorClass::TypeError, std::string(what) + " must be str, not " + type_name(value));
}

// ---- equality and hashing ----

namespace {

// Python's hash of numbers: the value modulo 2^61 - 1, so that equal numbers of any type hash alike.
constexpr std::uint64_t kModulus = (std::uint64_t{1} << 61) - 1;

std::int64_t hash_integer(std::int64_t value) {
  std::uint64_t magnitude =
      value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  auto hash = static_cast<std::int64_t>(magnitude % kModulus);
  if (value < 0) hash = -hash;
  return hash == -1 ? -2 : hash;
}

std::int64_t hash_real(double value) {
  if (std::isinf(value)) return value > 0 ? 314159 : -314159;
  if (std::isnan(value)) return 0;
  int exponent;
  double mantissa = std::frexp(std::fabs(value), &exponent);
  std::uint64_t hash = 0;
  while (mantissa != 0) {
    hash = ((hash << 28) & kModulus) | hash >> (61 - 28);
    mantissa *= 268435456.0;  // 2^28
    exponent -= 28;
    auto digit = static_cast<std::uint64_t>(mantissa);
    mantissa -= static_cast<double>(digit);
    hash += digit;
    if (hash >= kModulus) hash -= kModulus;
  }
  exponent = exponent >= 0 ? exponent % 61 : 60 - (-1 - exponent) % 61;
  if (exponent) hash = ((hash << exponent) & kModulus) | hash >> (61 - exponent);
  auto result = static_cast<std::int64_t>(hash);
  if (value < 0) result = -result;
  return result == -1 ? -2 : result;
}

// A number of any type in one of four forms.
struct Number {
  enum Form { None, Integer, Big, Real, ComplexForm } form = None;
  std::int64_t integer = 0;
  BigInteger big;
  std::complex<double> real;
};

Number number_of(const Value& value) {
  Number n;
  if (value.is_int() || value.is_bool()) {
    n.form = Number::Integer;
    n.integer = value.is_int() ? value.as_int() : value.as_bool();
  } else if (value.is_float()) {
    n.form = Number::Real;
    n.real = value.as_float();
  } else if (auto* big = value.get_if<BigInt>()) {
    n.form = Number::Big;
    n.big = big->value;
  } else if (auto* complex = value.get_if<Complex>()) {
    n.form = complex->value.imag() == 0 ? Number::Real : Number::ComplexForm;
    n.real = complex->value;
  } else if (auto* scalar = value.get_if<NumpyScalar>()) {
    ir::visit_dtype(scalar->dtype, [&]<class T>() {
      T item;
      std::memcpy(static_cast<void*>(&item), scalar->data, sizeof(T));
      if constexpr (std::is_same_v<T, std::uint64_t>) {
        if (item > static_cast<std::uint64_t>(INT64_MAX)) {
          n.form = Number::Big;
          n.big = item;
          return;
        }
      }
      if constexpr (std::is_integral_v<T>) {
        n.form = Number::Integer;
        n.integer = static_cast<std::int64_t>(item);
      } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
        n.form = item.imag() == 0 ? Number::Real : Number::ComplexForm;
        n.real = std::complex<double>(item.real(), item.imag());
      } else {
        n.form = Number::Real;
        n.real = static_cast<double>(item);
      }
    });
  }
  return n;
}

bool numbers_equal(const Number& a, const Number& b) {
  if (a.form > b.form) return numbers_equal(b, a);
  if (a.form == Number::Integer && b.form == Number::Integer) return a.integer == b.integer;
  if (a.form == Number::Big && b.form == Number::Big) return a.big == b.big;
  if (b.form == Number::Big) return false;
  if (b.form == Number::ComplexForm) return a.form == Number::ComplexForm && a.real == b.real;
  double y = b.real.real();
  if (a.form == Number::Real) return a.real.real() == y;
  if (std::isnan(y) || std::isinf(y) || y != std::floor(y)) return false;
  if (a.form == Number::Integer)
    return std::fabs(y) < 0x1p63 ? a.integer == static_cast<std::int64_t>(y) : y == -0x1p63 && a.integer == INT64_MIN;
  return a.big == BigInteger(y);
}

bool is_number(const Value& value) {
  return value.is_int() || value.is_float() || value.is_bool() || value.is(ObjectKind::BigInt) ||
         value.is(ObjectKind::Complex) || value.is(ObjectKind::NumpyScalar);
}

bool items_equal(Runtime* runtime, const std::vector<Value>& a, const std::vector<Value>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!a[i].identical(b[i]) && !values_equal(runtime, a[i], b[i])) return false;
  return true;
}

bool dicts_equal(Runtime* runtime, Dict& a, Dict& b) {
  if (a.size() != b.size()) return false;
  for (Dict::Entry& entry : a.entries()) {
    if (entry.key.empty()) continue;
    Value* other = b.find(entry.key);
    if (!other) return false;
    if (!entry.value.identical(*other) && !values_equal(runtime, entry.value, *other)) return false;
  }
  return true;
}

// Equality of containers recurses over what a script built: bounded as Python bounds it.
struct DepthGuard {
  static constinit thread_local int depth;
  DepthGuard() {
    if (++depth > 2000) {
      --depth;
      throw ir::Error(ir::ErrorClass::RecursionError, "maximum recursion depth exceeded in comparison");
    }
  }
  ~DepthGuard() { --depth; }
};
constinit thread_local int DepthGuard::depth = 0;

}  // namespace

bool values_equal(Runtime* runtime, const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) return a.as_int() == b.as_int();
  auto *sa = a.get_if<Str>(), *sb = b.get_if<Str>();
  if (sa && sb) return sa == sb || sa->text == sb->text;
  if (is_number(a) && is_number(b)) return numbers_equal(number_of(a), number_of(b));
  if (!a.is_object() || !b.is_object()) return a.identical(b);
  if (a.object() == b.object()) return true;
  auto dtype_of_object = [](const Value& value) {
    return value.is(ObjectKind::Native) ? dynamic_cast<DTypeObject*>(value.object()) : nullptr;
  };
  if (auto *x = dtype_of_object(a), *y = dtype_of_object(b); x && y) return x->dtype == y->dtype;
  if (a.object()->kind() != b.object()->kind()) return false;
  DepthGuard guard;
  switch (a.object()->kind()) {
    case ObjectKind::Bytes: return a.as<Bytes>().data == b.as<Bytes>().data;
    case ObjectKind::Tuple: return items_equal(runtime, a.as<Tuple>().items, b.as<Tuple>().items);
    case ObjectKind::List: return items_equal(runtime, a.as<List>().items, b.as<List>().items);
    case ObjectKind::Dict: return dicts_equal(runtime, a.as<Dict>(), b.as<Dict>());
    case ObjectKind::Set: return dicts_equal(runtime, *a.as<Set>().items, *b.as<Set>().items);
    case ObjectKind::Range: {
      const Range &x = a.as<Range>(), &y = b.as<Range>();
      std::int64_t n = x.size();
      return n == y.size() && (n == 0 || (x.start == y.start && (n == 1 || x.step == y.step)));
    }
    case ObjectKind::Slice: {
      const SliceObject &x = a.as<SliceObject>(), &y = b.as<SliceObject>();
      return values_equal(runtime, x.start, y.start) && values_equal(runtime, x.stop, y.stop) &&
             values_equal(runtime, x.step, y.step);
    }
    case ObjectKind::Array: {
      if (!runtime) return false;
      const Value operands[] = {a, b};
      Value result = operator_call(*runtime, ir::find_op("equal"), operands);
      Array verdict = to_array(*runtime, result);
      if (verdict.size() != 1)
        throw ir::Error(ir::ErrorClass::ValueError,
                        "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()");
      return *verdict.data != 0;
    }
    default: return false;
  }
}

std::int64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u ^ text.size();
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
  }
  std::uint64_t tail = 0;
  std::memcpy(&tail, text.data() + i, text.size() - i);
  hash = (hash ^ tail) * 0x9e3779b97f4a7c15u;
  hash ^= hash >> 29;
  return static_cast<std::int64_t>(hash >> 1);
}

std::int64_t hash_value(const Value& value) {
  switch (value.tag()) {
    case Tag::Int: return hash_integer(value.as_int());
    case Tag::Bool: return value.as_bool();
    case Tag::Float: return hash_real(value.as_float());
    case Tag::Object: break;
    default: return static_cast<std::int64_t>(value.tag()) * 7919;
  }
  switch (value.object()->kind()) {
    case ObjectKind::Str: {
      const Str& text = value.as<Str>();
      if (text.hash < 0) text.hash = hash_text(text.text);
      return text.hash;
    }
    case ObjectKind::BigInt: {
      const BigInteger& big = value.as<BigInt>().value;
      auto hash = static_cast<std::int64_t>(boost::multiprecision::abs(big) % kModulus);
      if (big < 0) hash = -hash;
      return hash == -1 ? -2 : hash;
    }
    case ObjectKind::Complex:
    case ObjectKind::NumpyScalar: {
      Number n = number_of(value);
      if (n.form == Number::Integer) return hash_integer(n.integer);
      if (n.form == Number::Big) return hash_value(make_int(n.big));
      std::int64_t hash = hash_real(n.real.real());
      return n.form == Number::Real
                 ? hash
                 : static_cast<std::int64_t>(static_cast<std::uint64_t>(hash) +
                                             1000003u * static_cast<std::uint64_t>(hash_real(n.real.imag())));
    }
    case ObjectKind::Bytes: return hash_text(value.as<Bytes>().data) ^ 1;
    case ObjectKind::Tuple: {
      DepthGuard guard;
      std::uint64_t hash = 0x345678;
      for (const Value& item : value.as<Tuple>().items)
        hash = (hash ^ static_cast<std::uint64_t>(hash_value(item))) * 0x9e3779b97f4a7c15u + 97531;
      return static_cast<std::int64_t>(hash >> 1);
    }
    case ObjectKind::Set:
      if (value.as<Set>().frozen) {
        std::uint64_t hash = 1927868237;
        for (const Dict::Entry& entry : value.as<Set>().items->entries())
          if (!entry.key.empty()) hash ^= static_cast<std::uint64_t>(entry.hash) * 0x9e3779b97f4a7c15u;
        return static_cast<std::int64_t>(hash >> 1);
      }
      break;
    case ObjectKind::Range: {
      const Range& range = value.as<Range>();
      std::int64_t n = range.size();
      return n * 31 + (n ? range.start * 17 : 0) + (n > 1 ? range.step * 13 : 0);
    }
    case ObjectKind::Native:
      if (auto* dtype = dynamic_cast<DTypeObject*>(value.object())) return 1000 + static_cast<int>(dtype->dtype);
      [[fallthrough]];
    case ObjectKind::Callable:
    case ObjectKind::Iterator:
    case ObjectKind::Exception:
    case ObjectKind::Cell:
    case ObjectKind::Foreign:
    case ObjectKind::Lazy: return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(value.object()) >> 4);
    case ObjectKind::Array:
    case ObjectKind::List:
    case ObjectKind::Dict:
    case ObjectKind::Slice: break;
  }
  throw ir::Error(ir::ErrorClass::TypeError,
                  "unhashable type: '" + (value.is(ObjectKind::Array) ? std::string("numpy.ndarray") : type_name(value)) + "'");
}

}  // namespace autoray::runtime
