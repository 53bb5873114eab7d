// The objects behind language values. Plain structs: their methods live with the language (frontend), their data here,
// because dispatch must read them (lists of arrays, keyword dictionaries, callables).
#pragma once

#include <concepts>
#include <functional>
#include <optional>

#include "runtime/stack.h"
#include "runtime/value.h"

namespace autoray::runtime {

struct Complex final : Object {
  static constexpr ObjectKind kKind = ObjectKind::Complex;
  explicit Complex(std::complex<double> v) : Object(kKind), value(v) {}
  std::complex<double> value;
};

// np.float64(1.5): immutable, not weak in promotion.
struct NumpyScalar final : Object {
  static constexpr ObjectKind kKind = ObjectKind::NumpyScalar;
  static constexpr bool kMayDefer = true;
  NumpyScalar(ir::DType d, const void* item);
  NumpyScalar(ir::DType d, Ref<Object> node);
  void settled() { deferred_ = false, recorded = nullptr; }
  ir::DType dtype;
  BackendId backend = 0;
  Ref<Object> recorded;            // the lazy array that it stands for; null: `data` is the value
  alignas(16) char data[16] = {};  // one item of `dtype`
};

struct ArrayObject final : Object {
  static constexpr ObjectKind kKind = ObjectKind::Array;
  static constexpr bool kMayDefer = true;
  ArrayObject() : Object(kKind) {}
  explicit ArrayObject(Array a) : Object(kKind), array(std::move(a)) {}
  // Of what `make()` gives, which is made in its place.
  template <std::invocable Make>
  explicit ArrayObject(Make&& make) : Object(kKind), array(make()) {}
  void defer(Ref<Object> to) { deferred_ = true, recorded = std::move(to); }
  static void* operator new(std::size_t size);  // from a free list: arrays are made once an op
  static void operator delete(void* memory);
  Array array;
  Ref<Object> recorded;  // a Deferred: `array` is what it came to when somebody looked last; null: `array` is the value
};

struct Str final : Object {
  static constexpr ObjectKind kKind = ObjectKind::Str;
  explicit Str(std::string t);
  std::string text;     // valid UTF-8 (surrogates cannot occur)
  std::int64_t length;  // code points
  mutable std::int64_t hash = -1;
  bool ascii() const { return length == static_cast<std::int64_t>(text.size()); }
};

struct Bytes final : Object {
  static constexpr ObjectKind kKind = ObjectKind::Bytes;
  explicit Bytes(std::string d) : Object(kKind), data(std::move(d)) {}
  std::string data;
};

// Objects that can take part in a reference cycle stand on their Heap's list, which empties the survivors at the end.
class Heap;
class Container : public Object {
 public:
  // Drops all references that it holds.
  virtual void clear() = 0;

 protected:
  explicit Container(ObjectKind kind);
  ~Container() override;

 private:
  friend class Heap;
  Container* previous_;  // null: on no list
  Container* next_;
};

// All containers of one Engine. The current heap is the thread's: set while an Engine runs (HeapScope).
class Heap {
 public:
  Heap();
  ~Heap();  // clears the containers that are still alive
  Heap(const Heap&) = delete;

 private:
  friend class Container;
  struct Sentinel;
  std::unique_ptr<Sentinel> list_;  // circular; the sentinel is no container of a script
};
class HeapScope {
 public:
  explicit HeapScope(Heap& heap);
  ~HeapScope();

 private:
  Heap* outer_;
};

struct List final : Container {
  static constexpr ObjectKind kKind = ObjectKind::List;
  explicit List(std::vector<Value> i = {}) : Container(kKind), items(std::move(i)) {}
  void clear() override;
  std::vector<Value> items;
};

struct Tuple final : Object {
  static constexpr ObjectKind kKind = ObjectKind::Tuple;
  explicit Tuple(std::vector<Value> i = {}) : Object(kKind), items(std::move(i)) {}
  std::vector<Value> items;
  // numpy's named results (SVDResult, EighResult): null for a plain tuple.
  const char* const* field_names = nullptr;
  const char* type_name = nullptr;
};

// Insertion-ordered hash map from values to values; 1, 1.0 and True are one key, as in Python. Look-up costs one hash and
// usually one comparison. Iteration is by entry index and survives replacement of values (not insertion).
class Dict final : public Container {
 public:
  static constexpr ObjectKind kKind = ObjectKind::Dict;
  struct Entry {
    std::int64_t hash;
    Value key;  // Empty: deleted
    Value value;
  };
  Dict() : Container(kKind) {}
  void clear() override;

  std::int64_t size() const { return live_; }
  Value* find(const Value& key);
  Value* find(std::string_view key);
  // The value's place, inserted as Empty when new.
  Value& operator[](const Value& key);
  void set(const Value& key, Value value) { (*this)[key] = std::move(value); }
  void set(std::string_view key, Value value);
  // Removes and returns it; Empty when absent.
  Value pop(const Value& key);
  // Entries in insertion order; deleted ones have an Empty key.
  std::vector<Entry>& entries() { return entries_; }
  std::uint64_t version() const { return version_; }  // changes with every insertion and removal

  // dict subclasses with other behaviour and name: "Counter", "defaultdict", "OrderedDict"; null for dict.
  const char* subclass = nullptr;
  Value default_factory;

 private:
  std::int64_t locate(std::int64_t hash, const Value& key) const;
  void rebuild(std::size_t slots);

  std::vector<Entry> entries_;
  std::vector<std::int32_t> slots_;  // -1 free, -2 deleted, else entry index
  std::int64_t live_ = 0;
  std::uint64_t version_ = 0;
};

struct Set final : Container {
  static constexpr ObjectKind kKind = ObjectKind::Set;
  explicit Set(bool is_frozen = false) : Container(kKind), items(make<Dict>()), frozen(is_frozen) {}
  void clear() override { items->clear(); }
  Ref<Dict> items;  // keys only (values None)
  bool frozen;
};

struct SliceObject final : Object {
  static constexpr ObjectKind kKind = ObjectKind::Slice;
  SliceObject(Value a, Value b, Value c) : Object(kKind), start(std::move(a)), stop(std::move(b)), step(std::move(c)) {}
  Value start, stop, step;
};

struct Range final : Object {
  static constexpr ObjectKind kKind = ObjectKind::Range;
  Range(std::int64_t a, std::int64_t b, std::int64_t c) : Object(kKind), start(a), stop(b), step(c) {}
  std::int64_t size() const;
  std::int64_t start, stop, step;
};

struct Cell final : Container {
  static constexpr ObjectKind kKind = ObjectKind::Cell;
  Cell() : Container(kKind) {}
  void clear() override { value.clear(); }
  Value value;  // Empty: not yet assigned
};

// Whatever can be called. `call` throws ir::Error or Raised.
class Callable : public Container {
 public:
  static constexpr ObjectKind kKind = ObjectKind::Callable;
  virtual Value call(Runtime& runtime, const Arguments& arguments) = 0;
  virtual std::string callable_name() const = 0;
  // "function", "builtin_function_or_method", "type", "method": what type(x).__name__ says.
  virtual std::string_view callable_type() const { return "builtin_function_or_method"; }
  // Types name a dtype where numpy accepts them as one: float, int, bool, complex, np.float32 ...
  virtual std::optional<ir::DType> type_dtype() const { return std::nullopt; }
  // The class that an exception type stands for.
  virtual std::optional<ir::ErrorClass> exception_class() const { return std::nullopt; }
  // Beyond __name__, which every callable has.
  virtual bool get_attribute(Runtime&, std::string_view, Value&) { return false; }
  virtual bool set_attribute(Runtime&, std::string_view, const Value&) { return false; }
  void clear() override {}

 protected:
  Callable() : Container(kKind) {}
};

// A C++ function as a value.
class NativeFunction final : public Callable {
 public:
  using Function = std::function<Value(Runtime&, const Arguments&)>;
  NativeFunction(std::string name, Function function) : name_(std::move(name)), function_(std::move(function)) {}
  Value call(Runtime& runtime, const Arguments& arguments) override { return function_(runtime, arguments); }
  std::string callable_name() const override { return name_; }
  void clear() override { function_ = nullptr; }

 private:
  std::string name_;
  Function function_;
};

class Iterator : public Container {
 public:
  static constexpr ObjectKind kKind = ObjectKind::Iterator;
  // The next value; false at the end (and from then on). Throws ir::Error or Raised. Iterators stand on iterators, as deep
  // as a script builds them.
  bool next(Runtime& runtime, Value& result) {
    check_stack();
    return advance(runtime, result);
  }
  virtual std::string_view iterator_type() const { return "iterator"; }
  void clear() override {}

 protected:
  Iterator() : Container(kKind) {}
  virtual bool advance(Runtime& runtime, Value& result) = 0;
};

struct Exception final : Container {
  static constexpr ObjectKind kKind = ObjectKind::Exception;
  Exception(ir::ErrorClass c, std::vector<Value> a) : Container(kKind), error_class(c), args(std::move(a)) {}
  void clear() override;
  ir::ErrorClass error_class;
  std::vector<Value> args;
  Value cause;
  Value context;
  // What a diagnostic needs beyond the Python-visible part; filled where it is raised.
  int code = 0;
  std::string hint;
  std::vector<std::string> operands;
  std::uint32_t source = 0;  // as ir::Error's
  int source_frames = 1;
  Value place;  // the evaluator's record of where it came from
};

// Anything with attributes: modules, random generators, finfo, context managers, .npz files ...
class NativeObject : public Container {
 public:
  static constexpr ObjectKind kKind = ObjectKind::Native;
  virtual std::string native_type() const = 0;
  // False when there is no such attribute.
  virtual bool get_attribute(Runtime& runtime, std::string_view name, Value& result) = 0;
  virtual bool set_attribute(Runtime&, std::string_view, const Value&) { return false; }
  // Names for "did you mean" and dir().
  virtual std::vector<std::string> attribute_names() const { return {}; }
  virtual std::string repr() const { return "<" + native_type() + " object>"; }
  // obj[key]; false when not subscriptable.
  virtual bool get_item(Runtime&, const Value&, Value&) { return false; }
  virtual bool contains(Runtime&, const Value&, bool&) { return false; }
  virtual std::optional<std::int64_t> length() const { return std::nullopt; }
  virtual bool iterate(Runtime&, Value&) { return false; }
  // `with obj as x`: enter returns x; exit is told the exception (or None) and returns true to swallow it.
  virtual bool is_context_manager() const { return false; }
  virtual Value enter(Runtime&) { return Value::none(); }
  virtual bool exit(Runtime&, const Value&) { return false; }
  void clear() override {}

 protected:
  NativeObject() : Container(kKind) {}
};

// numpy.dtype objects compare and hash by dtype; `np.float64` (the scalar type) is a Callable of the language.
class DTypeObject final : public NativeObject {
 public:
  explicit DTypeObject(ir::DType d) : dtype(d) {}
  std::string native_type() const override { return "dtype"; }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override;
  std::vector<std::string> attribute_names() const override;
  std::string repr() const override;  // dtype('float64')
  ir::DType dtype;
};

Value make_str(std::string text);
Value make_complex(std::complex<double> value);
Value make_tuple(std::vector<Value> items);
Value make_list(std::vector<Value> items = {});
Value make_array(Array array);
Value make_dtype(ir::DType dtype);
// One item at `data` as a numpy scalar.
Value make_scalar(ir::DType dtype, const void* data, BackendId backend = 0);
Value make_exception(const ir::Error& error);
Value make_native(std::string name, NativeFunction::Function function);

// Python's equality and hash over values that can be dictionary keys (numbers across types, strings, tuples, dtypes, frozen
// sets; other objects by identity). `values_equal` on lists and dicts compares contents; arrays are the evaluator's business
// (an array inside compares by identity first, then must have one element).
bool values_equal(Runtime* runtime, const Value& a, const Value& b);
std::int64_t hash_value(const Value& value);  // TypeError "unhashable type: 'list'"
std::int64_t hash_text(std::string_view text);

// The str of a Str value; TypeError naming `what` otherwise.
const std::string& text_of(const Value& value, std::string_view what);

}  // namespace autoray::runtime
