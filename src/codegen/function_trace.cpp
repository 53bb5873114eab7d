#include "codegen/function_trace.h"

#include <algorithm>

#include "ir/error.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/function.h"
#include "runtime/memory_order.h"

namespace autoray::codegen {

using ir::Error;
using ir::ErrorClass;
using ir::Kind;
using ir::kNoNode;
using ir::NodeId;
using runtime::Array;
using runtime::Captures;
using runtime::LazyArray;
using runtime::ObjectKind;
using runtime::Recorder;
using runtime::Ref;
using runtime::Runtime;
using runtime::Value;

namespace {

// Output while tracing would be lost, or come twice; so would changes of what is captured.
struct SilentTrace {
  SilentTrace(Runtime& r, Recorder& rec, Captures& captures) : runtime(r), recorder(rec), saved(r.write_stdout) {
    runtime.captures = &captures;
    runtime.write_stdout = [](std::string_view) {
      throw Error(ErrorClass::NotImplementedError, "a traced function prints").with_code(202);
    };
    recorder.shaped_by.clear();
    ++recorder.tracing;
  }
  ~SilentTrace() {
    runtime.write_stdout = std::move(saved);
    runtime.captures = nullptr;
    --recorder.tracing;
  }
  Runtime& runtime;
  Recorder& recorder;
  std::function<void(std::string_view)> saved;
};

std::function<Value(const Value&)> of_arrays(JitBackend backend, std::function<Value(const Value&)> substitute) {
  // An object has what it was compiled with.
  return backend == JitBackend::Object ? nullptr : std::move(substitute);
}

}  // namespace

FunctionTrace::FunctionTrace(Runtime& runtime, Reading& reading, std::span<const runtime::CapturedPlace> varying, Known known)
    : runtime_(runtime),
      recorder_(runtime.recorder()),
      reading_(reading),
      known_(known),
      captures_(of_arrays(reading.backend, [this](const Value& v) { return substitute(v); }),
                [varying](const runtime::CapturedPlace& place) {
                  return std::any_of(varying.begin(), varying.end(), [&](const auto& p) { return p.is_at(place); });
                }) {}

FunctionTrace::~FunctionTrace() {
  for (NodeId id : roots) recorder_.graph().release(id);
}

Ref<LazyArray> FunctionTrace::record(const Array& array, Kind kind) {
  return known_ == Known::Elements ? recorder_.given(array, kind) : recorder_.argument(array, kind);
}

// What the function gets for a leaf of its arguments.
Value FunctionTrace::replaced(std::size_t i) {
  const Reading::Leaf& leaf = reading_.leaves[i];
  leaves_.emplace_back();
  leaf_nodes.push_back(kNoNode);
  // With values at hand a number is one.
  const bool number = known_ == Known::Elements && !leaf.array;
  if (!leaf.traced || number) return *leaf.value;
  if (leaf.same_as >= 0) {
    leaves_[i] = leaves_[static_cast<std::size_t>(leaf.same_as)];
  } else {
    Kind kind = leaf.is_float() ? Kind::Weak : leaf.value->is(ObjectKind::NumpyScalar) ? Kind::Scalar : Kind::Array;
    leaves_[i] = record(leaf.array ? *leaf.array : runtime::to_array(runtime_, *leaf.value), kind);
  }
  leaf_nodes[i] = leaves_[i]->node();
  return leaves_[i];
}

// A captured array is an argument like the others, and may be one of them.
Value FunctionTrace::substitute(const Value& v) {
  if (v.is_float()) {
    Ref<LazyArray> lazy = record(runtime::to_array(runtime_, v), Kind::Weak);
    captured_floats_.push_back({nullptr, lazy, lazy->node()});
    return lazy;
  }
  const Array& array = v.as<runtime::ArrayObject>().array;
  if (reading_.captured_static) {
    Array copy = runtime::converted_like(runtime_, array, array.dtype);
    copy.backend = array.backend;
    return runtime::make_array(std::move(copy));
  }
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    const Array* given = reading_.leaves[i].array;
    if (leaves_[i] && given && is_same(*given, array)) return leaves_[i];
  }
  for (const CapturedArray& c : captured_arrays_)
    if (is_same(*c.array, array)) return c.lazy;
  Ref<LazyArray> lazy = record(array, Kind::Array);
  captured_arrays_.push_back({&array, lazy, lazy->node()});
  return lazy;
}

void FunctionTrace::run(const Value& function, const runtime::Arguments& arguments,
                        const std::function<void(std::span<const runtime::CapturedPlace>)>& read_captured) {
  SilentTrace silent(runtime_, recorder_, captures_);
  std::size_t next = 0;
  auto replace = [&](const Value&) { return replaced(next++); };
  std::vector<Value> positional, keyword_values;
  for (const Value& v : arguments.positional) positional.push_back(runtime::map_leaves(v, replace));
  for (const Value& v : arguments.keyword_values) keyword_values.push_back(runtime::map_leaves(v, replace));
  for (const Value& v : positional) captures_.watch(v);
  for (const Value& v : keyword_values) captures_.watch(v);
  result = function.as<runtime::Callable>().call(runtime_, {positional, arguments.keyword_names, keyword_values});
  captures_.check();
  read_captured(captures_.places());
  add_captured();
  runtime::for_each_leaf(result, [&](const Value& v) { add_result(v); });
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    if (!leaves_[i] || reading_.leaves[i].same_as >= 0 || leaves_[i]->node() == leaf_nodes[i]) continue;
    written.emplace_back(root(leaves_[i]->node()), static_cast<int>(i));
  }
}

void FunctionTrace::add_captured() {
  auto next_float = captured_floats_.begin();
  for (std::size_t i = leaves_.size(); i < reading_.leaves.size(); ++i) {
    const Reading::Leaf& leaf = reading_.leaves[i];
    if (leaf.is_float()) {
      leaves_.push_back(next_float->lazy);
      leaf_nodes.push_back(next_float++->node);
      continue;
    }
    auto own = std::find_if(captured_arrays_.begin(), captured_arrays_.end(),
                            [&](const CapturedArray& c) { return c.array == leaf.array; });
    bool same = own == captured_arrays_.end();  // as an earlier leaf
    leaves_.push_back(same ? leaves_[static_cast<std::size_t>(leaf.same_as)] : own->lazy);
    leaf_nodes.push_back(same ? kNoNode : own->node);
  }
}

int FunctionTrace::root(NodeId node) {
  recorder_.graph().retain(node);
  roots.push_back(node);
  return static_cast<int>(roots.size()) - 1;
}

void FunctionTrace::add_result(const Value& v) {
  if (reading_.captured_static && v.is(ObjectKind::Array)) captures_.refuse("returns an array that it reads from outside");
  ResultLeaf& leaf = result_leaves.emplace_back();
  auto* lazy = v.get_if<LazyArray>();
  if (!lazy) return;
  leaf.kind = recorder_.graph().type(lazy->node()).kind;
  for (std::size_t i = 0; i < leaves_.size() && leaf.argument < 0; ++i) {
    if (!leaves_[i] || reading_.leaves[i].is_float()) continue;
    // An object's results have memory of their own.
    const bool written_to =
        reading_.backend != JitBackend::Object && leaves_[i]->node() != leaf_nodes[i] && reading_.leaves[i].same_as < 0;
    if (lazy == leaves_[i].get()) {
      leaf.argument = static_cast<int>(i);
    } else if (auto lies = written_to ? recorder_.lies_in(*lazy, *leaves_[i]) : std::nullopt) {
      leaf.argument = static_cast<int>(i);
      leaf.view = {std::move(lies->layout), lies->offset};
      leaf.view->layout.data = nullptr;
    }
  }
  if (leaf.argument < 0) leaf.result = root(lazy->node());
}

bool FunctionTrace::needed_values_of_arguments() const {
  return std::any_of(recorder_.shaped_by.begin(), recorder_.shaped_by.end(), [&](NodeId id) {
    auto found = std::find(leaf_nodes.begin(), leaf_nodes.end(), id);
    return found != leaf_nodes.end() && reading_.leaves[static_cast<std::size_t>(found - leaf_nodes.begin())].array;
  });
}

}  // namespace autoray::codegen
