// One run of a function on recorded arrays: what autojit makes a compiled call of.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "codegen/call_key.h"
#include "codegen/result_leaf.h"
#include "runtime/lazy/captures.h"
#include "runtime/lazy/recorder.h"

namespace autoray::codegen {

// What the trace knows of arrays: their types alone, so that it holds for all calls of a kind, or their elements too, which end
// segments.
enum class Known : std::uint8_t { Types, Elements };

class FunctionTrace {
 public:
  // Captured floats at the places `varying` are recorded, too. `reading` outlives the trace and gets the captured leaves.
  FunctionTrace(runtime::Runtime& runtime, Reading& reading, std::span<const runtime::CapturedPlace> varying, Known known);
  ~FunctionTrace();
  FunctionTrace(const FunctionTrace&) = delete;

  // Calls the function; throws what it throws, and refusals (Captures). Its result, and where each leaf of that comes from, are
  // known afterwards, and the captured leaves follow the others.
  void run(const runtime::Value& function, const runtime::Arguments& arguments,
           const std::function<void(std::span<const runtime::CapturedPlace>)>& read_captured);

  runtime::Captures& captures() { return captures_; }
  bool substituted_floats() const { return !captured_floats_.empty(); }
  bool needed_values_of_arguments() const;  // for the shape of a result

  // By leaf of the reading: the node that it was when the trace began; kNoNode where nothing was recorded.
  std::vector<ir::NodeId> leaf_nodes;
  runtime::Value result;
  std::vector<ResultLeaf> result_leaves;
  std::vector<std::pair<int, int>> written;  // root number -> leaf argument that it is written to
  // What has to be computed: results, then written arguments. Held for the trace's life: a node's number must not come back for
  // another one.
  std::vector<ir::NodeId> roots;

 private:
  struct CapturedArray {
    const runtime::Array* array;
    runtime::Ref<runtime::LazyArray> lazy;
    ir::NodeId node;
  };
  runtime::Ref<runtime::LazyArray> record(const runtime::Array& array, ir::Kind kind);
  runtime::Value replaced(std::size_t leaf);
  runtime::Value substitute(const runtime::Value& captured);
  void add_captured();
  void add_result(const runtime::Value& leaf);
  int root(ir::NodeId node);

  runtime::Runtime& runtime_;
  runtime::Recorder& recorder_;
  Reading& reading_;
  const Known known_;
  runtime::Captures captures_;
  std::vector<runtime::Ref<runtime::LazyArray>> leaves_;  // by leaf; null where it is not recorded
  std::vector<CapturedArray> captured_arrays_, captured_floats_;
};

}  // namespace autoray::codegen
