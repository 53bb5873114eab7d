// Attributes and methods of lazy arrays.
#pragma once

#include "frontend/protocol.h"
#include "runtime/lazy/recorder.h"

namespace autoray::frontend {

// As array_attribute and call_array_method are for arrays.
bool lazy_attribute(Runtime& runtime, const Value& self, std::string_view name, Value& result);
// A method that only lazy arrays have.
bool lazy_method(Runtime& runtime, const Value& self, std::string_view name, const Arguments& arguments, Value& result);
std::vector<std::string_view> lazy_attribute_names();
// <LazyArray(fn=stack, shape=(5, 5), dtype=float64, backend='numpy')>
std::string lazy_repr(const runtime::LazyArray& array);
// Nodes in descending order, or rows inside a traced function.
runtime::Ref<runtime::Iterator> lazy_iterate(Runtime& runtime, const Value& self);

// The nodes of all lazy arrays in a tree of containers.
std::vector<ir::NodeId> lazy_nodes(const Value& tree);
// The functions of the module autoray.lazy that are methods too: compute, ascend, descend, get_source ...
Value lazy_compute(Runtime& runtime, const Value& tree);
Value lazy_ascend(Runtime& runtime, const Value& tree);
Value lazy_descend(Runtime& runtime, const Value& tree);
Value lazy_compute_constants(Runtime& runtime, const Value& tree, const Value& variables);
Value lazy_source(Runtime& runtime, const Value& tree);

[[noreturn]] void value_needed(std::string_view what);
// The value of a lazy array that has one already (Recorder::known_value); else that error.
runtime::Value known_value(const runtime::LazyArray& array, std::string_view what);

}  // namespace autoray::frontend
