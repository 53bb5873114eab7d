// What the public classes hold inside; shared by the files of src/api.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

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
  using Blocks = runtime::SmallBlocks<Array::Impl>;
  static Array wrap(runtime::Array array) { return Array(std::allocate_shared<Array::Impl>(Blocks(), std::move(array))); }
  // Of no array yet; its places for extents are not cleared.
  static Array empty() { return Array(std::allocate_shared_for_overwrite<Array::Impl>(Blocks())); }
  static runtime::Array& unwrap(Array& array) { return array.impl_->array; }
  static const runtime::Array& unwrap(const Array& array) { return array.impl_->array; }
  using Pointers = ir::SmallVector<const runtime::Array*, 8>;
  static Pointers pointers(Span<const Array> arrays) {
    Pointers list;
    for (const Array& a : arrays) list.push_back(&unwrap(a));
    return list;
  }
};

// From the inner layers' errors to the public one.
[[noreturn]] void raise(const frontend::Diagnostic& diagnostic, int status);
[[noreturn]] void raise(const ir::Error& error, int status = 1);  // limits and interrupts have theirs
[[noreturn]] void raise(runtime::Runtime& runtime, const runtime::Raised& raised);

struct EngineState {
  EngineState(const EngineOptions& options);
  ~EngineState();

  // Order matters: the heap goes last, after everything that holds values. Each call into the engine makes it the thread's.
  std::optional<runtime::Heap> heap = std::make_optional<runtime::Heap>();
  ir::Interner interner;
  std::unique_ptr<runtime::Runtime> runtime;
  std::vector<std::unique_ptr<frontend::Interpreter>> programs;

  // Compiled functions come from any thread: they and whatever enters the engine take turns. Until there is one, the engine is
  // one thread's by contract, and nobody waits.
  std::atomic<bool> shared{false};
  std::recursive_mutex turn;

  // Odd while scripts may run, even otherwise, and another number whenever they ran: what compiled functions captured may be
  // another then. Written in turn.
  std::atomic<std::uint64_t> script_state{2};
  int entered = 0;

  static Value wrap(std::shared_ptr<EngineState> engine, runtime::Value value);
  static const runtime::Value& unwrap(const Value& value);
};

// The engine is this thread's: its heap too.
class Turn {
 public:
  explicit Turn(EngineState& engine)
      : lock_(engine.shared.load(std::memory_order_relaxed) ? std::unique_lock(engine.turn)
                                                            : std::unique_lock<std::recursive_mutex>()),
        scope_(*engine.heap) {}

 private:
  std::unique_lock<std::recursive_mutex> lock_;
  runtime::HeapScope scope_;
};

struct ValueState {
  ~ValueState() {
    if (!engine) return;
    Turn turn(*engine);
    value.clear();
  }
  std::shared_ptr<EngineState> engine;  // keeps what the value refers to
  runtime::Value value;
};

// Scripts may run while it lives.
class Scripts {
 public:
  explicit Scripts(EngineState& engine) : engine_(engine) {
    if (engine_.entered++ == 0) engine_.script_state.fetch_add(1, std::memory_order_acq_rel);
  }
  ~Scripts() {
    if (--engine_.entered == 0) engine_.script_state.fetch_add(1, std::memory_order_acq_rel);
  }
  Scripts(const Scripts&) = delete;

 private:
  EngineState& engine_;
};

// Takes a turn and turns the inner layers' exceptions into the public one.
template <class Function>
decltype(auto) enter(EngineState& engine, Function&& function) {
  Turn turn(engine);
  Scripts scripts(engine);
  try {
    return function();
  } catch (const ir::Error& error) {
    raise(error);
  } catch (const runtime::Raised& raised) {
    raise(*engine.runtime, raised);
  }
}

}  // namespace detail
}  // namespace autoray
