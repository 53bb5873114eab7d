// A native backend: a name, what it is based on, and the kernels it brings itself. Everything else it inherits, and
// `autoray backends` and --explain show what. A new backend is one folder with a `Backend` and one line in backends.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runtime/elementwise/loops.h"
#include "runtime/kernel.h"
#include "runtime/value.h"

namespace autoray::runtime {

// Ops of class Host work on values: arguments in signature order, defaults filled in (Empty only for operands not given).
struct HostCall {
  Runtime& runtime;
  const ir::Op& op;
  BackendId backend;
  std::span<const Value> args;
};
using HostFunction = Value (*)(HostCall&);
struct HostRow {
  ir::OpId op;
  HostFunction function;
};

// A table of rows is a function, so that every area keeps its own table next to its kernels.
using KernelTable = std::span<const KernelRow> (*)();
using LoopTable = std::span<const LoopRow> (*)();
using HostTable = std::span<const HostRow> (*)();

struct Backend {
  std::string_view name;
  std::string_view based_on;  // empty: on nothing
  std::string_view library;   // what computes, with its version: "autoray", "Eigen 3.4.0"
  std::string_view note;      // one sentence for `autoray backends`
  std::span<const KernelTable> kernels;
  std::span<const LoopTable> loops;
  std::span<const HostTable> hosts;
  std::string (*unavailable)() = nullptr;  // why it cannot be used here; empty or null: it can
};

// The backend that records instead of computing (runtime/lazy); it has the highest priority.
extern const Backend kLazyBackend;
inline constexpr BackendId kLazy = 2;

// In BackendId order: 0 is `numpy`, the default. One line a backend (backends/backends.cpp).
std::span<const Backend* const> native_backends();

}  // namespace autoray::runtime
