// What the public classes hold inside; shared by the files of src/api.
#pragma once

#include "autoray/engine.h"
#include "frontend/interpreter.h"
#include "runtime/runtime.h"

namespace autoray {

struct Array::Impl {
  Impl() {}  // leaves the places of axes uninitialised
  explicit Impl(runtime::Array a) : array(std::move(a)) {}
  runtime::Array array;
};

namespace detail {

struct ArrayAccess {
  static Array wrap(runtime::Array array) { return Array(std::make_shared<Array::Impl>(std::move(array))); }
  static Array empty() { return Array(std::make_shared<Array::Impl>()); }
  static runtime::Array& unwrap(Array& array) { return array.impl_->array; }
  static const runtime::Array& unwrap(const Array& array) { return array.impl_->array; }
};

struct EngineState {
  EngineState(const EngineOptions& options);
  ~EngineState();

  // Order matters: the heap goes last, after everything that holds values.
  runtime::Heap heap;
  runtime::HeapScope scope;
  ir::Interner interner;
  std::unique_ptr<runtime::Runtime> runtime;
  std::vector<std::unique_ptr<frontend::Interpreter>> programs;

  static Value wrap(std::shared_ptr<EngineState> engine, runtime::Value value);
  static const runtime::Value& unwrap(const Value& value);
};

struct ValueState {
  std::shared_ptr<EngineState> engine;  // keeps what the value refers to
  runtime::Value value;
};

// From the inner layers' errors to the public one.
[[noreturn]] void raise(const frontend::Diagnostic& diagnostic, int status);
[[noreturn]] void raise(const ir::Error& error);

}  // namespace detail
}  // namespace autoray
