#include "runtime/value.h"

#include <vector>

#include "runtime/objects.h"

namespace autoray::runtime {
namespace {
// Destruction deeper than this is queued: a list of lists of lists ... must not recurse.
constexpr int kDepth = 50;
constinit thread_local int depth = 0;
constinit thread_local std::vector<Object*>* queue = nullptr;

[[gnu::noinline]] void put_off(Object* object) {
  if (!queue) queue = new std::vector<Object*>;
  queue->push_back(object);
}

}  // namespace

// One after the other.
void Object::destroy_queued() {
  while (!queue->empty()) {
    Object* next = queue->back();
    queue->pop_back();
    ++depth;
    delete next;
    --depth;
  }
  delete queue;
  queue = nullptr;
}

void Object::destroy(Object* object) {
  if (depth >= kDepth) [[unlikely]]
    return put_off(object);
  ++depth;
  delete object;
  if (--depth == 0 && queue) [[unlikely]]
    destroy_queued();
}

std::string type_name(const Value& value) {
  switch (value.tag()) {
    case Tag::Empty: return "<not given>";
    case Tag::None: return "NoneType";
    case Tag::NotImplemented: return "NotImplementedType";
    case Tag::Ellipsis: return "ellipsis";
    case Tag::Bool: return "bool";
    case Tag::Int: return "int";
    case Tag::Float: return "float";
    case Tag::Object: break;
  }
  switch (value.object()->kind()) {
    case ObjectKind::BigInt: return "int";
    case ObjectKind::Complex: return "complex";
    case ObjectKind::NumpyScalar: return std::string(ir::name(value.as<NumpyScalar>().dtype));
    case ObjectKind::Array: return "ndarray";
    case ObjectKind::Str: return "str";
    case ObjectKind::Bytes: return "bytes";
    case ObjectKind::List: return "list";
    case ObjectKind::Tuple: return value.as<Tuple>().type_name ? value.as<Tuple>().type_name : "tuple";
    case ObjectKind::Dict: return value.as<Dict>().subclass ? value.as<Dict>().subclass : "dict";
    case ObjectKind::Set: return value.as<Set>().frozen ? "frozenset" : "set";
    case ObjectKind::Slice: return "slice";
    case ObjectKind::Range: return "range";
    case ObjectKind::Callable: return std::string(value.as<Callable>().callable_type());
    case ObjectKind::Iterator: return std::string(value.as<Iterator>().iterator_type());
    case ObjectKind::Exception: return std::string(ir::name(value.as<Exception>().error_class));
    case ObjectKind::Cell: return "cell";
    case ObjectKind::Native: return value.as<NativeObject>().native_type();
    case ObjectKind::Foreign: return "foreign array";
    case ObjectKind::Lazy: return "LazyArray";
  }
  return "object";
}

}  // namespace autoray::runtime
