#include "runtime/lazy/function.h"

#include <algorithm>

#include "ir/error.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/deferral.h"

namespace autoray::runtime {

using ir::Error;
using ir::ErrorClass;
using ir::Index;
using ir::NodeId;
using ir::NodeKind;

namespace {

constexpr int kDeepest = 200;  // containers in containers; a cycle ends here

void visit_leaves(const Value& tree, const std::function<void(const Value&)>& visit, int depth) {
  if (depth > kDeepest) throw Error(ErrorClass::RecursionError, "containers are nested too deeply, or contain themselves");
  if (auto* list = tree.get_if<List>()) {
    for (const Value& item : list->items) visit_leaves(item, visit, depth + 1);
  } else if (auto* tuple = tree.get_if<Tuple>()) {
    for (const Value& item : tuple->items) visit_leaves(item, visit, depth + 1);
  } else if (auto* dict = tree.get_if<Dict>()) {
    for (auto& entry : dict->entries())
      if (!entry.key.empty()) visit_leaves(entry.value, visit, depth + 1);
  } else {
    visit(tree);
  }
}

Value map_tree(const Value& tree, const std::function<Value(const Value&)>& map, int depth) {
  if (depth > kDeepest) throw Error(ErrorClass::RecursionError, "containers are nested too deeply, or contain themselves");
  std::vector<Value> items;
  if (auto* list = tree.get_if<List>()) {
    for (const Value& item : list->items) items.push_back(map_tree(item, map, depth + 1));
    return make_list(std::move(items));
  }
  if (auto* tuple = tree.get_if<Tuple>()) {
    for (const Value& item : tuple->items) items.push_back(map_tree(item, map, depth + 1));
    return make_tuple(std::move(items));
  }
  if (auto* dict = tree.get_if<Dict>()) {
    auto result = make<Dict>();
    for (auto& entry : dict->entries())
      if (!entry.key.empty()) result->set(entry.key, map_tree(entry.value, map, depth + 1));
    return result;
  }
  return map(tree);
}

}  // namespace

void for_each_leaf(const Value& tree, const std::function<void(const Value&)>& visit) { visit_leaves(tree, visit, 0); }
Value map_leaves(const Value& tree, const std::function<Value(const Value&)>& map) { return map_tree(tree, map, 0); }

LazyFunction::LazyFunction(Recorder& recorder, std::vector<NodeId> inputs, Value tree, bool fold_constants)
    : recorder_(recorder), inputs_(std::move(inputs)), tree_(std::move(tree)) {
  ir::Graph& graph = recorder.graph();
  for_each_leaf(tree_, [&](const Value& v) {
    if (auto* lazy = v.get_if<LazyArray>()) outputs_.push_back(lazy->node());
  });
  ir::LargeVector<NodeId> arguments, ids;
  ir::Block block = ir::extract(graph, outputs_, arguments, &ids);
  auto input_of = [&](NodeId id) {
    auto found = std::find(inputs_.begin(), inputs_.end(), id);
    return found == inputs_.end() ? -1 : static_cast<int>(found - inputs_.begin());
  };
  // An input may be a node in the midst of the graph: it is an argument of the function all the same.
  std::vector<bool> varies(block.nodes.size());
  std::vector<Index> frontier;
  std::vector<bool> folded(block.nodes.size());
  for (Index i = 0; i < block.nodes.size(); ++i) {
    ir::BlockNode& n = block.nodes[i];
    if (input_of(ids[i]) >= 0) {
      varies[i] = true;
      if (n.kind == NodeKind::Call || n.kind == NodeKind::Project) become_argument(block, i, arguments, ids[i]);
      continue;
    }
    varies[i] = n.kind == NodeKind::State || (n.kind == NodeKind::Call && ir::op(n.op).has(ir::kRandom));
    for (Index input : block.inputs(i))
      if (input != ir::kNoIndex) varies[i] = varies[i] || varies[input];
  }
  if (fold_constants) {
    auto needed_constant = [&](Index i) {
      const ir::BlockNode& n = block.nodes[i];
      if (!varies[i] && (n.kind == NodeKind::Call || n.kind == NodeKind::Project) && !folded[i]) {
        folded[i] = true;
        frontier.push_back(i);
      }
    };
    for (Index i = 0; i < block.nodes.size(); ++i)
      if (varies[i])
        for (Index input : block.inputs(i))
          if (input != ir::kNoIndex && block.types(input).size() == 1) needed_constant(input);
    for (Index result : block.results) needed_constant(result);
  }
  if (!frontier.empty()) {
    std::vector<NodeId> roots;
    for (Index i : frontier) roots.push_back(ids[i]);
    Prepared constants = prepare(recorder, roots);
    for (NodeId id : constants.arguments) {
      if (graph.node(id).kind == NodeKind::Variable)
        throw Error(ErrorClass::ValueError, "the graph depends on a Variable that is not among the function's inputs")
            .with_code(405);
      constant_arguments_.push_back(recorder.owned_array(id));
    }
    constants_ = std::make_unique<ir::Plan>(std::move(constants.plan));
    for (Index i : frontier) become_argument(block, i, arguments, ids[i]);
  }
  std::size_t first_folded = arguments.size() - frontier.size();
  std::vector<NodeId> known;
  for (std::size_t a = 0; a < arguments.size(); ++a) {
    const ir::Node& node = graph.node(arguments[a]);
    int input = input_of(arguments[a]);
    argument_input_.push_back(a >= first_folded ? -2 - static_cast<int>(a - first_folded) : input);
    bool has_array = node.kind != NodeKind::Call && node.kind != NodeKind::Project && recorder.array(arguments[a]).data;
    if (input < 0 && !has_array && a < first_folded)
      throw Error(ErrorClass::ValueError, "the graph depends on a Variable that is not among the function's inputs")
          .with_code(405);
    captured_.push_back(input < 0 && has_array ? recorder.owned_array(arguments[a]) : Array());
    known.push_back(input < 0 && has_array ? arguments[a] : ir::kNoNode);
  }
  ir::PassContext context = pass_context(recorder, known);
  ir::run_passes(block, context, recorder.passes);
  plan_ = std::make_unique<ir::Plan>(ir::make_plan(std::move(block), context.placements, std::move(context.live)));
  for (NodeId id : inputs_) graph.retain(id);
}

LazyFunction::~LazyFunction() {
  for (NodeId id : inputs_) recorder_.graph().release(id);
}

void LazyFunction::become_argument(ir::Block& block, Index i, ir::LargeVector<NodeId>& arguments, NodeId id) {
  ir::BlockNode& n = block.nodes[i];
  if (n.kind == NodeKind::Call) block.tables->attrs.release(n.attrs);
  n.kind = NodeKind::Leaf;
  n.input_count = 0;
  n.attrs = 0;
  n.number = static_cast<Index>(arguments.size());
  arguments.push_back(id);
  block.arguments.push_back(i);
}

void LazyFunction::fold(Runtime& runtime) {
  if (!constants_) return;
  std::vector<std::uint64_t> versions;
  for (const Array& array : constant_arguments_) versions.push_back(array.storage ? array.storage->version() : 0);
  if (!folded_.empty() && versions == folded_versions_) return;
  folded_ = run_plan(runtime, *constants_, constant_arguments_);
  folded_versions_ = std::move(versions);
}

Value LazyFunction::call(Runtime& runtime, const Arguments& given) {
  if (!given.keyword_names.empty()) throw Error(ErrorClass::TypeError, "a Function takes its arrays by position");
  std::vector<Array> inputs;
  for (const Value& v : given.positional)
    for_each_leaf(v, [&](const Value& leaf) { inputs.push_back(to_array(runtime, leaf)); });
  if (inputs.size() != inputs_.size())
    throw Error(ErrorClass::TypeError, "the function takes " + std::to_string(inputs_.size()) + " arrays but " +
                                           std::to_string(inputs.size()) + " were given");
  if (runtime.deferral()) runtime.deferral()->refresh();
  fold(runtime);
  std::vector<Array> arguments;
  for (std::size_t a = 0; a < argument_input_.size(); ++a) {
    int input = argument_input_[a];
    if (input == -1) {
      arguments.push_back(captured_[a]);
    } else if (input < -1) {
      arguments.push_back(folded_[static_cast<std::size_t>(-2 - input)]);
    } else {
      Array& array = inputs[static_cast<std::size_t>(input)];
      const ir::Type& type = plan_->block.type(plan_->block.arguments[a]);
      if (!(array.shape == type.shape) || array.dtype != type.dtype)
        throw Error(ErrorClass::ValueError,
                    "the function was recorded for " + ir::to_string(type) + " and was given " + ir::to_string(array.type()))
            .with_code(401);
      arguments.push_back(array);
    }
  }
  std::vector<Array> results = run_plan(runtime, *plan_, arguments);
  std::size_t next = 0;
  return map_leaves(tree_, [&](const Value& v) {
    if (!v.is(ObjectKind::Lazy)) return v;
    Array& array = results[next];
    ir::Kind kind = recorder_.tables().types.type(plan_->block.nodes[plan_->block.results[next]].types).kind;
    ++next;
    return from_kind(array, kind);
  });
}

bool LazyFunction::get_attribute(Runtime&, std::string_view name, Value& result) {
  if (name == "peak_bytes") {
    result = Value::integer(plan_->peak_bytes);
  } else if (name == "plan_text") {
    result = make_str(plan_->text());
  } else {
    return false;
  }
  return true;
}

void LazyFunction::clear() { tree_.clear(); }

}  // namespace autoray::runtime
