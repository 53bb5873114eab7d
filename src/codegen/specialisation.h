// What one kind of call of a traced function compiled to: the plan, the program made of it, and how the call's arguments and
// its result hang together with theirs. Constant once it is published, so that calls from several threads share it.
#pragma once

#include <atomic>

#include "codegen/native_plan.h"
#include "codegen/program.h"
#include "codegen/result_leaf.h"
#include "codegen/segments.h"
#include "ir/plan/plan.h"
#include "runtime/lazy/captures.h"
#include "runtime/objects.h"

namespace autoray::codegen {

struct CapturedValue {
  std::string key, text;
};

struct Specialisation {
  // How calls with arrays alone, from C++, may run.
  enum class Short : std::uint8_t {
    No,      // its results are more than arrays, or the call is no native code
    InTurn,  // it needs the runtime (calls of it, results that are copied): one call at a time
    Beside,  // calls run beside each other
  };

  int stack_depth = 0;                    // when it was traced
  std::string_view key;                   // of the map that owns it
  bool floats_static = false;             // the trace needed the value of a float: all floats are part of the key
  bool captured_static = false;           // it needed an element of a captured array: all are part of captured_key
  const Specialisation* older = nullptr;  // the one that was published before
  std::atomic<bool> stale{false};         // another took its place: a function was registered

  // What the function read from outside of its arguments, and what stood there.
  std::vector<runtime::CapturedPlace> places;
  std::string captured_key;
  std::vector<runtime::Value> standing;  // by place, where which value it is says all; empty: some may change in themselves
  std::vector<runtime::Value> floats;    // by place: the float that was a constant; Empty: no float
  std::vector<CapturedValue> captured_values;  // by place; made only for explanations
  std::size_t own_leaves = 0;                  // of the arguments; the captured arrays' follow
  // The state of the engine's values (AutoJit::find) in which `places` were found to hold `captured`; 0: none yet.
  mutable std::atomic<std::uint64_t> unchanged{0};

  runtime::Value tree;
  std::vector<ResultLeaf> leaves;            // of the tree, in order
  std::vector<std::pair<int, int>> written;  // result number -> leaf argument that it is written to
  std::vector<int> argument_leaf;            // by argument of the plan: the call's leaf, -1: a constant of the trace
  std::vector<runtime::Array> captured;      // by argument of the plan: such a constant, or a captured array when it was traced
  std::unique_ptr<ir::Plan> plan;
  std::shared_ptr<Program> program;                                 // null: the plan runs
  std::string plain;                                                // not empty: the call runs plainly, for this reason
  std::unique_ptr<Segments> segments;                               // not null: every call is traced, and computed by these
  bool first_result = false;                                        // plain, and `tree` is what the tracing call gave
  std::vector<std::pair<runtime::BackendId, ir::OpId>> dispatched;  // entries that a registered function would change
  Short shortly = Short::No;
  bool direct = false;  // each result is an output of its own in C order: it may be computed in the caller's memory
  EventReport events;
  std::string note;
  std::vector<runtime::Value> held;  // objects that the key names by identity: their addresses are not used again
};

}  // namespace autoray::codegen
