// How computation is called: a kernel takes operands and attributes and makes results whose types are already inferred.
// Kernels know nothing of the language's values, so the eager calls, the plan executor and constant folding share them.
#pragma once

#include <span>
#include <string_view>

#include "ir/op.h"
#include "runtime/array.h"

namespace autoray::runtime {

class Runtime;
struct BitGenerator;  // runtime/random: the state of a random stream

struct Operand {
  const Array* array = nullptr;  // null: an optional operand that was not given
  ir::Kind kind = ir::Kind::Array;

  bool present() const { return array != nullptr; }
  const Array* operator->() const { return array; }
  const Array& operator*() const { return *array; }
};

struct KernelCall {
  Runtime& runtime;
  const ir::Op& op;
  BackendId backend;                          // whose entry is running
  std::span<const Operand> in;                // signature order, sequences expanded
  std::span<const std::uint32_t> groups;      // operands of each operand parameter
  std::span<const ir::Attr> attrs;            // signature order, defaults filled in
  std::span<const ir::Type> types;            // of the results; empty for ops with a dynamic shape
  std::span<Array> out;                       // the kernel fills these: `allocate(i)` or a view; memory in one is a place
  std::vector<Array>* dynamic_out = nullptr;  // ops with a dynamic shape append their results here instead
  BitGenerator* random = nullptr;             // kRandom ops
  // The first operand's elements are not needed afterwards: the kernel may make its result there.
  bool reuse_first = false;
  // Who computes: set from the kernel's row; a kernel that hands the work on says so. What --explain prints.
  BackendId provider = 0;
  std::string_view library = "autoray";

  // A C-contiguous, uninitialised array of types[i], stored in out[i]: a fresh one, or what the caller gave as a place.
  Array& allocate(std::size_t i = 0);
};
using Kernel = void (*)(KernelCall&);

struct KernelRow {
  ir::OpId op;
  Kernel kernel;
  const char* library;  // who computes: "autoray", "OpenBLAS", "LAPACK", "Eigen": shown by `backends` and --explain
};

}  // namespace autoray::runtime
