// Where a leaf of a traced function's result comes from.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/array.h"

namespace autoray::codegen {

struct ResultLeaf {
  // How it lies in an argument that it is a view of.
  struct View {
    runtime::Array layout;  // shape, strides, dtype; no data
    std::int64_t offset;    // of its first element, bytes
  };

  int result = -1;           // of the plan; -1: the value stands in the tree itself
  int argument = -1;         // the argument's own object, returned as it is
  std::optional<View> view;  // then: of it, because the function writes the argument
  ir::Kind kind = ir::Kind::Array;
  bool copy = false;  // it shares memory with something that it does not share it with eagerly

  // The argument, or the view of it.
  runtime::Array of(const runtime::Array& argument_array) const {
    if (!view) return argument_array;
    runtime::Array array = view->layout;
    array.storage = argument_array.storage;
    array.data = argument_array.data + view->offset;
    array.backend = argument_array.backend;
    return array;
  }
};

}  // namespace autoray::codegen
