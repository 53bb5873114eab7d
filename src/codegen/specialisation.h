// What one kind of call of a traced function compiled to: the plan, the program made of it, and how the call's arguments and
// its result hang together with theirs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codegen/program.h"
#include "ir/plan/plan.h"
#include "runtime/value.h"

namespace autoray::codegen {

struct Specialisation {
  // Where the result at a leaf of the tree comes from.
  struct Leaf {
    int result = -1;    // of the plan; -1: the value stands in the tree itself
    int argument = -1;  // the argument's own object, returned as it is
    ir::Kind kind = ir::Kind::Array;
    bool copy = false;  // it shares memory with something that it does not share it with eagerly
  };
  runtime::Value tree;
  std::vector<Leaf> leaves;                  // of the tree, in order
  std::vector<std::pair<int, int>> written;  // result number -> leaf argument that it is written to
  std::vector<int> argument_leaf;            // by argument of the plan: the call's leaf, -1: captured
  std::vector<runtime::Array> captured;      // by argument of the plan
  std::unique_ptr<ir::Plan> plan;
  std::shared_ptr<Program> program;                                 // null: the plan runs
  std::string plain;                                                // not empty: the call runs plainly, for this reason
  mutable bool first_result = false;                                // plain, and `tree` is what the tracing call gave
  std::vector<std::pair<runtime::BackendId, ir::OpId>> dispatched;  // entries that a registered function would change
  bool random = false;
  bool floats_static = false;  // the trace needed the value of a float: all floats are part of the key
  mutable unsigned told = 0;   // floating-point events that were told already
  std::string note;
  std::vector<runtime::Value> held;  // objects that the key names by identity: their addresses are not used again
};

}  // namespace autoray::codegen
