// A graph as a function of some of its nodes: what get_function gives. Calls are re-entrant; the plan is made once.
#pragma once

#include "runtime/lazy/executor.h"

namespace autoray::runtime {

class LazyFunction final : public Callable {
 public:
  // `inputs` in the order in which a call's leaves fill them; `tree`: the outputs' containers with lazy arrays as leaves. With
  // `fold_constants` what depends on no input is computed once, and again when an array that it read has been written since.
  LazyFunction(Recorder& recorder, std::vector<ir::NodeId> inputs, Value tree, bool fold_constants);
  ~LazyFunction() override;

  // The leaves of all arguments, in order, are the inputs' values. TypeError for another number of them, ValueError for another
  // shape or dtype than the graph was recorded with.
  Value call(Runtime& runtime, const Arguments& arguments) override;
  std::string callable_name() const override {
    return "Function(" + std::to_string(inputs_.size()) + " input(s)) -> " + std::to_string(outputs_.size()) + " output(s) ";
  }
  std::string_view callable_type() const override { return "Function"; }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override;
  void clear() override;

  const ir::Plan& plan() const { return *plan_; }

 private:
  static void become_argument(ir::Block& block, ir::Index i, ir::LargeVector<ir::NodeId>& arguments, ir::NodeId id);
  void fold(Runtime& runtime);

  Recorder& recorder_;
  std::vector<ir::NodeId> inputs_;
  std::vector<ir::NodeId> outputs_;
  Value tree_;
  std::unique_ptr<ir::Plan> plan_;
  std::unique_ptr<ir::Plan> constants_;    // null: nothing to fold
  std::vector<int> argument_input_;        // by argument number: which input it is, -1: none
  std::vector<Array> captured_;            // by argument number, where it is no input
  std::vector<Array> constant_arguments_;  // of constants_
  std::vector<std::uint64_t> folded_versions_;
  std::vector<Array> folded_;
};

// Nested tuples, lists and dicts of values, leaf by leaf, in order.
void for_each_leaf(const Value& tree, const std::function<void(const Value&)>& visit);
Value map_leaves(const Value& tree, const std::function<Value(const Value&)>& map);

}  // namespace autoray::runtime
