// The language's values: 16 bytes, a tag and either an immediate (None, bool, int64, float) or a counted object.
//
// Counts of language objects are not atomic: values belong to the thread that runs their script. (Array storage is counted
// atomically; arrays cross threads as runtime::Array.) Containers free their contents iteratively: a million nested lists
// do not recurse. Reference cycles are cleared when the Heap they belong to goes.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "runtime/array.h"

namespace autoray::runtime {

class Runtime;
class Value;

enum class Tag : std::uint8_t { Empty, None, NotImplemented, Ellipsis, Bool, Int, Float, Object };

enum class ObjectKind : std::uint8_t {
  BigInt,  // an int beyond int64
  Complex,
  NumpyScalar,
  Array,
  Str,
  Bytes,
  List,
  Tuple,
  Dict,
  Set,  // set and frozenset
  Slice,
  Range,
  Callable,  // functions of every origin, types, bound methods
  Iterator,
  Exception,
  Cell,     // a variable captured by a closure
  Native,   // everything else with attributes: modules, generators of random numbers, finfo, context managers ...
  Foreign,  // an array of a library outside (a Python object)
  Lazy,     // a node of a graph
};

class Object {
 public:
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  ObjectKind kind() const { return kind_; }
  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) destroy(this);
  }
  std::uint32_t references() const { return references_; }
  // Its value is a node of a graph: whoever looks into it has the node computed first (lazy/deferral.h).
  bool deferred() const { return deferred_; }

 protected:
  explicit Object(ObjectKind kind) : kind_(kind) {}
  virtual ~Object() = default;

 private:
  // Deletes now, or queues when already deep inside another destruction.
  static void destroy(Object* object);
  static void destroy_queued();

  std::uint32_t references_ = 1;
  ObjectKind kind_;

 protected:
  bool deferred_ = false;
};

// A counted pointer to an object of known type.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  static Ref adopt(T* object) {
    Ref ref;
    ref.object_ = object;
    return ref;
  }
  static Ref share(T* object) {
    if (object) object->retain();
    return adopt(object);
  }
  Ref(const Ref& other) : object_(other.object_) {
    if (object_) object_->retain();
  }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(Ref<U> other) noexcept : object_(other.take()) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_) object_->release();
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  T* take() { return std::exchange(object_, nullptr); }

 private:
  T* object_ = nullptr;
};

template <class T, class... Args>
Ref<T> make(Args&&... args) {
  return Ref<T>::adopt(new T(std::forward<Args>(args)...));
}

class Value {
 public:
  Value() : tag_(Tag::Empty), bits_(0) {}  // "not given"; never seen by scripts
  static Value none() { return Value(Tag::None); }
  static Value ellipsis() { return Value(Tag::Ellipsis); }
  static Value not_implemented() { return Value(Tag::NotImplemented); }
  static Value boolean(bool value) {
    Value result(Tag::Bool);
    result.bits_ = value;
    return result;
  }
  static Value integer(std::int64_t value) {
    Value result(Tag::Int);
    result.bits_ = value;
    return result;
  }
  static Value real(double value) {
    Value result(Tag::Float);
    result.real_ = value;
    return result;
  }
  template <class T>
    requires std::is_base_of_v<Object, T>
  Value(Ref<T> object) : tag_(Tag::Object), object_(object.take()) {}

  Value(const Value& other) : tag_(other.tag_), bits_(other.bits_) {
    if (tag_ == Tag::Object) object_->retain();
  }
  Value(Value&& other) noexcept : tag_(other.tag_), bits_(other.bits_) { other.tag_ = Tag::Empty; }
  Value& operator=(const Value& other) {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Value() {
    if (tag_ == Tag::Object) object_->release();
  }
  void swap(Value& other) noexcept {
    std::swap(tag_, other.tag_);
    std::swap(bits_, other.bits_);
  }
  void clear() { *this = Value(); }

  Tag tag() const { return tag_; }
  bool empty() const { return tag_ == Tag::Empty; }
  bool is_none() const { return tag_ == Tag::None; }
  bool is_ellipsis() const { return tag_ == Tag::Ellipsis; }
  bool is_bool() const { return tag_ == Tag::Bool; }
  bool is_int() const { return tag_ == Tag::Int; }  // int64 immediates only; see also BigInt
  bool is_float() const { return tag_ == Tag::Float; }
  bool is_object() const { return tag_ == Tag::Object; }
  bool is(ObjectKind kind) const { return tag_ == Tag::Object && object_->kind() == kind; }

  bool as_bool() const { return bits_ != 0; }
  std::int64_t as_int() const { return bits_; }
  double as_float() const { return real_; }
  Object* object() const { return object_; }
  template <class T>
  T& as() const {
    if constexpr (requires { T::kMayDefer; })
      if (object_->deferred()) [[unlikely]]
        settle(*object_);
    return *static_cast<T*>(object_);
  }
  // The same without asking for a value that is deferred: types and backends are right, data are not.
  template <class T>
  T* peek() const {
    return is(T::kKind) ? static_cast<T*>(object_) : nullptr;
  }
  // The object when it is of T's kind, else null.
  template <class T>
  T* get_if() const {
    return is(T::kKind) ? &as<T>() : nullptr;
  }
  // Python's `is`.
  bool identical(const Value& other) const { return tag_ == other.tag_ && (tag_ <= Tag::Ellipsis || bits_ == other.bits_); }

 private:
  explicit Value(Tag tag) : tag_(tag), bits_(0) {}
  static void settle(Object& object);  // lazy/deferral.cpp

  Tag tag_;
  union {
    std::int64_t bits_;
    double real_;
    Object* object_;
  };
};
static_assert(sizeof(Value) == 16);

// What a call was given. Keyword names are UTF-8 text that outlives the call.
struct Arguments {
  std::span<const Value> positional;
  std::span<const std::string_view> keyword_names;
  std::span<const Value> keyword_values;

  std::size_t size() const { return positional.size() + keyword_names.size(); }
};

// A script's exception on its way through native code: thrown only across native frames (sorted's key, a wrapped op); script
// frames pass exceptions on as completion codes.
struct Raised {
  Value exception;
};

// What type(x).__name__ says.
std::string type_name(const Value& value);

}  // namespace autoray::runtime
