#include "frontend/types/lazy_type.h"

#include <algorithm>

#include "frontend/types/array_type.h"
#include "frontend/types/lazy_plot.h"
#include "frontend/types/type_object.h"
#include "ir/graph/source_text.h"
#include "ir/graph/text.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/deferral.h"
#include "runtime/lazy/function.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using ir::NodeId;
using ir::NodeKind;
using runtime::LazyArray;
using runtime::make;
using runtime::ObjectKind;
using runtime::Recorder;

void value_needed(std::string_view what) {
  throw Error(ErrorClass::TypeError, std::string(what) + " of a lazy array is not known before it is computed")
      .with_code(405)
      .with_hint("np.where(condition, a, b) chooses between arrays; compute() gives the value");
}

Value known_value(const LazyArray& array, std::string_view what) {
  Value known = array.recorder->known_value(array);
  if (known.empty()) value_needed(what);
  return known;
}

std::vector<NodeId> lazy_nodes(const Value& tree) {
  std::vector<NodeId> nodes;
  runtime::for_each_leaf(tree, [&](const Value& v) {
    if (auto* lazy = v.get_if<LazyArray>()) nodes.push_back(lazy->node());
  });
  return nodes;
}

namespace {

Recorder& recorder_of(Runtime& runtime) { return runtime.recorder(); }

Value wrap_nodes(Recorder& recorder, std::span<const NodeId> nodes) {
  std::vector<Value> items;
  items.reserve(nodes.size());
  for (NodeId id : nodes) {
    recorder.graph().retain(id);
    items.push_back(recorder.wrap(id));
  }
  return runtime::make_list(std::move(items));
}

std::int64_t size_of(const Recorder& recorder, NodeId id) {
  auto& r = const_cast<Recorder&>(recorder);
  return ir::element_count(r.graph().type(id).shape);
}

}  // namespace

Value lazy_ascend(Runtime& runtime, const Value& tree) {
  std::vector<NodeId> roots = lazy_nodes(tree);
  return iterate(runtime, wrap_nodes(recorder_of(runtime), recorder_of(runtime).graph().ascend(roots)));
}
Value lazy_descend(Runtime& runtime, const Value& tree) {
  std::vector<NodeId> roots = lazy_nodes(tree);
  return iterate(runtime, wrap_nodes(recorder_of(runtime), recorder_of(runtime).graph().descend(roots)));
}

Value lazy_compute(Runtime& runtime, const Value& tree) {
  std::vector<NodeId> roots = lazy_nodes(tree);
  if (runtime.deferral()) runtime.deferral()->refresh();
  runtime::compute(recorder_of(runtime), roots);
  return runtime::map_leaves(tree, [&](const Value& v) {
    auto* lazy = v.get_if<LazyArray>();
    return lazy ? runtime::computed_value(*lazy->recorder, lazy->node()) : v;
  });
}

Value lazy_compute_constants(Runtime& runtime, const Value& tree, const Value& variables) {
  ir::Graph& graph = recorder_of(runtime).graph();
  std::vector<NodeId> roots = lazy_nodes(tree), varying = lazy_nodes(variables);
  std::sort(varying.begin(), varying.end());
  ir::LargeVector<NodeId> order = graph.ascend(roots);
  std::vector<NodeId> constants;
  std::vector<NodeId> varies = varying;  // sorted
  std::unordered_map<NodeId, bool> depends;
  for (NodeId id : order) {
    const ir::Node& n = graph.node(id);
    bool d = n.kind == NodeKind::Variable || std::binary_search(varies.begin(), varies.end(), id);
    for (NodeId input : n.inputs())
      if (input != ir::kNoNode && !graph.node(input).hidden()) d = d || depends[input];
    depends[id] = d;
  }
  std::unordered_map<NodeId, bool> wanted;
  for (NodeId root : roots) wanted[root] = true;
  for (NodeId id : order)
    if (depends[id])
      for (NodeId input : graph.node(id).inputs())
        if (input != ir::kNoNode) wanted[input] = true;
  for (NodeId id : order)
    if (!depends[id] && wanted[id] && graph.node(id).kind == NodeKind::Call) constants.push_back(id);
  if (runtime.deferral()) runtime.deferral()->refresh();
  runtime::compute(recorder_of(runtime), constants);
  return Value::none();
}

Value lazy_source(Runtime& runtime, const Value& tree) {
  std::vector<NodeId> roots = lazy_nodes(tree);
  ir::LargeVector<NodeId> arguments;
  ir::Block block = ir::extract(recorder_of(runtime).graph(), roots, arguments);
  return runtime::make_str(ir::source_text(block, [&](ir::Index number) -> std::string {
    const ir::Node& node = recorder_of(runtime).graph().node(arguments[number]);
    if (node.kind != NodeKind::Constant) return {};
    const runtime::Array array = recorder_of(runtime).owned_array(arguments[number]);
    ir::Kind kind = recorder_of(runtime).graph().type(arguments[number]).kind;
    if (kind == ir::Kind::Weak) return repr(runtime, runtime::from_kind(array, kind));
    if (array.size() > 64) return {};
    Value list = call_method(runtime, runtime::make_array(array), "tolist", {});
    return "np.array(" + repr(runtime, list) + ", dtype='" + std::string(ir::name(array.dtype)) + "')" +
           (kind == ir::Kind::Scalar ? "[()]" : "");
  }));
}

std::string lazy_repr(const LazyArray& array) {
  const ir::Node& node = array.recorder->graph().node(array.node());
  const ir::Type& type = array.type();
  return "<LazyArray(fn=" + std::string(ir::label(node)) + ", shape=" + ir::to_string(type.shape) +
         ", dtype=" + std::string(ir::name(type.dtype)) + ", backend='" +
         std::string(array.recorder->runtime().backend_name(node.backend)) + "')>";
}

runtime::Ref<runtime::Iterator> lazy_iterate(Runtime& runtime, const Value& self) {
  auto& lazy = self.as<LazyArray>();
  if (recorder_of(runtime).tracing == 0) {
    const NodeId root[] = {lazy.node()};
    return iterate(runtime, wrap_nodes(*lazy.recorder, lazy.recorder->graph().descend(root)));
  }
  const ir::Dims shape = lazy.type().shape;
  if (shape.empty()) throw Error(ErrorClass::TypeError, "iteration over a 0-d array");
  std::vector<Value> rows;
  for (std::int64_t i = 0; i < shape[0]; ++i) rows.push_back(lazy.recorder->get_item(lazy, Value::integer(i)));
  return iterate(runtime, runtime::make_list(std::move(rows)));
}

namespace {

// ---- history ----

// Elements alive after each step, the reference's definition: inputs are there from the beginning, everything goes after its
// last use.
std::vector<std::int64_t> footprint(ir::Graph& graph, NodeId root, bool include_inputs) {
  const NodeId roots[] = {root};
  ir::LargeVector<NodeId> order = graph.ascend(roots);
  std::unordered_map<NodeId, bool> seen;
  std::vector<std::int64_t> changes;
  std::int64_t inputs = 0;
  auto size = [&](NodeId id) { return ir::element_count(graph.type(id).shape); };
  for (std::size_t k = order.size(); k-- > 0;) {
    const ir::Node& n = graph.node(order[k]);
    for (NodeId input : n.inputs()) {
      if (input == ir::kNoNode || graph.node(input).hidden() || !seen.emplace(input, true).second) continue;
      if (include_inputs || !graph.node(input).inputs().empty()) changes.push_back(-size(input));
    }
    if (n.kind == NodeKind::Call || n.kind == NodeKind::Project)
      changes.push_back(size(order[k]));
    else if (include_inputs)
      inputs += size(order[k]);
  }
  changes.push_back(inputs);
  std::reverse(changes.begin(), changes.end());
  std::int64_t now = 0;
  for (std::int64_t& change : changes) change = now += change;
  return changes;
}

bool include_inputs(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "history_size_footprint", {"include_inputs"});
  const Value* given = a.positional.empty() ? keyword(a, "include_inputs") : &a.positional[0];
  return !given || truth(runtime, *given);
}

Value history_num_nodes(Runtime&, const Value& self, const Arguments&) {
  auto& lazy = self.as<LazyArray>();
  const NodeId roots[] = {lazy.node()};
  return Value::integer(static_cast<std::int64_t>(lazy.recorder->graph().descend(roots).size()));
}
template <class F>
std::int64_t over_history(const LazyArray& lazy, std::int64_t start, F&& combine) {
  const NodeId roots[] = {lazy.node()};
  for (NodeId id : lazy.recorder->graph().descend(roots)) start = combine(start, id);
  return start;
}
Value history_max_size(Runtime&, const Value& self, const Arguments&) {
  auto& lazy = self.as<LazyArray>();
  return Value::integer(
      over_history(lazy, 0, [&](std::int64_t m, NodeId id) { return std::max(m, size_of(*lazy.recorder, id)); }));
}
Value history_total_size(Runtime&, const Value& self, const Arguments&) {
  auto& lazy = self.as<LazyArray>();
  return Value::integer(over_history(lazy, 0, [&](std::int64_t m, NodeId id) { return m + size_of(*lazy.recorder, id); }));
}
std::int64_t bytes_of(const LazyArray& lazy, NodeId id) {
  return size_of(*lazy.recorder, id) * static_cast<std::int64_t>(ir::itemsize(lazy.recorder->graph().type(id).dtype));
}
Value history_max_bytes(Runtime&, const Value& self, const Arguments&) {
  auto& lazy = self.as<LazyArray>();
  return Value::integer(over_history(lazy, 0, [&](std::int64_t m, NodeId id) { return std::max(m, bytes_of(lazy, id)); }));
}
Value history_total_bytes(Runtime&, const Value& self, const Arguments&) {
  auto& lazy = self.as<LazyArray>();
  return Value::integer(over_history(lazy, 0, [&](std::int64_t m, NodeId id) { return m + bytes_of(lazy, id); }));
}
Value history_size_footprint(Runtime& runtime, const Value& self, const Arguments& a) {
  auto& lazy = self.as<LazyArray>();
  std::vector<Value> items;
  for (std::int64_t v : footprint(lazy.recorder->graph(), lazy.node(), include_inputs(runtime, a)))
    items.push_back(Value::integer(v));
  return runtime::make_list(std::move(items));
}
Value history_peak_size(Runtime& runtime, const Value& self, const Arguments& a) {
  auto& lazy = self.as<LazyArray>();
  auto sizes = footprint(lazy.recorder->graph(), lazy.node(), include_inputs(runtime, a));
  return Value::integer(*std::max_element(sizes.begin(), sizes.end()));
}
Value history_stats(Runtime& runtime, const Value& self, const Arguments& a) {
  if (a.positional.size() != 1)
    throw Error(ErrorClass::TypeError, "history_stats() takes a function or 'count', 'sizein', 'sizeout'");
  auto& lazy = self.as<LazyArray>();
  ir::Graph& graph = lazy.recorder->graph();
  const NodeId roots[] = {lazy.node()};
  ir::LargeVector<NodeId> nodes = graph.descend(roots);
  auto stats = make<runtime::Dict>();
  auto add = [&](NodeId id, const Value& cost) {
    if (cost.is_none()) return;
    Value& place = (*stats)[runtime::make_str(std::string(ir::label(graph.node(id))))];
    place = place.empty() ? cost : binary(runtime, BinaryOperator::Add, place, cost);
  };
  if (auto* text = a.positional[0].get_if<runtime::Str>()) {
    for (NodeId id : nodes) {
      std::int64_t cost = 1;
      if (text->text == "sizein") {
        cost = 0;
        for (NodeId input : graph.node(id).inputs())
          if (input != ir::kNoNode && !graph.node(input).hidden()) cost += size_of(*lazy.recorder, input);
      } else if (text->text == "sizeout") {
        cost = size_of(*lazy.recorder, id);
      } else if (text->text != "count") {
        throw Error(ErrorClass::ValueError, "history_stats: '" + text->text + "' is none of 'count', 'sizein', 'sizeout'");
      }
      add(id, Value::integer(cost));
    }
    return stats;
  }
  for (NodeId id : nodes) {
    graph.retain(id);
    Value node = lazy.recorder->wrap(id);
    add(id, call(runtime, a.positional[0], {std::span(&node, 1), {}, {}}));
  }
  return stats;
}
Value history_fn_frequencies(Runtime& runtime, const Value& self, const Arguments&) {
  Value count = runtime::make_str("count");
  return history_stats(runtime, self, {std::span(&count, 1), {}, {}});
}

// ---- looking ----

std::string pretty(const LazyArray& lazy, NodeId id) {
  ir::Graph& graph = lazy.recorder->graph();
  const ir::Node& n = graph.node(id);
  std::string shape = "[";
  const ir::Dims& dims = graph.type(id).shape;
  for (std::size_t i = 0; i < dims.size(); ++i) shape += (i ? ", " : "") + std::to_string(dims[i]);
  shape += "]";
  if (n.kind != NodeKind::Call && n.kind != NodeKind::Project) return "←" + shape;
  const NodeId roots[] = {id};
  ir::LargeVector<NodeId> arguments;
  // One node with its inputs as arguments is a block of its own.
  ir::Block block(graph.tables());
  std::vector<ir::Index> inputs;
  for (NodeId input : n.inputs()) {
    if (input == ir::kNoNode) {
      inputs.push_back(ir::kNoIndex);
      continue;
    }
    ir::BlockNode leaf;
    leaf.kind = graph.node(input).hidden() ? NodeKind::Constant : NodeKind::Leaf;
    leaf.types = graph.node(input).types;
    leaf.number = static_cast<ir::Index>(block.arguments.size());
    block.arguments.push_back(static_cast<ir::Index>(block.nodes.size()));
    arguments.push_back(input);
    inputs.push_back(block.add(leaf, {}));
  }
  ir::BlockNode call;
  call.kind = n.kind;
  call.op = n.op;
  call.attrs = n.kind == NodeKind::Call ? n.attrs : 0;
  call.number = n.kind == NodeKind::Project ? n.attrs : 0;
  call.types = n.types;
  ir::Index self = block.add(call, inputs);
  (void)roots;
  std::string text = ir::call_text(block, self, [&](ir::Index k) -> std::string {
    ir::Index input = inputs[k];
    if (input == ir::kNoIndex) return "None";
    NodeId of = arguments[block.nodes[input].number];
    if (graph.node(of).kind == NodeKind::Constant && graph.type(of).shape.empty() && graph.type(of).kind != ir::Kind::Array)
      return frontend::repr(lazy.recorder->runtime(), runtime::from_kind(lazy.recorder->array(of), graph.type(of).kind));
    return "#";
  });
  return text + " → " + shape;
}

Value show(Runtime& runtime, const Value& self, const Arguments& a) {
  check_keywords(a, "show", {"filler", "max_lines", "max_depth", "show_args"});
  auto& lazy = self.as<LazyArray>();
  ir::Graph& graph = lazy.recorder->graph();
  auto limit = [&](std::string_view name) {
    const Value* v = keyword(a, name);
    return v && !v->is_none() ? index_of(*v, name) : INT64_MAX;
  };
  std::int64_t max_lines = limit("max_lines"), max_depth = limit("max_depth"), line = 0;
  const Value* filler_value = a.positional.empty() ? keyword(a, "filler") : &a.positional[0];
  std::string filler = filler_value ? runtime::text_of(*filler_value, "filler") : " ";
  const Value* args_value = keyword(a, "show_args");
  bool show_args = !args_value || truth(runtime, *args_value);
  std::unordered_map<NodeId, std::int64_t> seen;
  struct Entry {
    NodeId id;
    std::vector<bool> columns;
  };
  std::vector<Entry> queue = {{lazy.node(), {}}};
  while (!queue.empty() && line < max_lines) {
    Entry e = std::move(queue.back());
    queue.pop_back();
    const ir::Node& n = graph.node(e.id);
    std::string text = std::to_string(line);
    text.insert(0, text.size() < 4 ? 4 - text.size() : 0, ' ');
    text += " ";
    for (std::size_t c = 0; c + 1 < e.columns.size(); ++c) text += e.columns[c] ? filler + filler : "│" + filler;
    if (!e.columns.empty()) text += e.columns.back() ? "╰─" : "├─";
    bool leaf = n.kind != NodeKind::Call && n.kind != NodeKind::Project;
    std::string full = pretty(lazy, e.id);
    std::string item = show_args || leaf ? full : std::string(ir::label(n)) + full.substr(full.rfind('['));
    if (auto found = seen.find(e.id); found != seen.end()) {
      runtime.write_stdout(text + " ... [" + item + " from line " + std::to_string(found->second) + "]\n");
      ++line;
      continue;
    }
    runtime.write_stdout(text + item + "\n");
    seen[e.id] = line++;
    if (static_cast<std::int64_t>(e.columns.size()) >= max_depth) continue;
    std::vector<NodeId> deps;
    for (NodeId input : n.inputs())
      if (input != ir::kNoNode && !graph.node(input).hidden()) deps.push_back(input);
    std::stable_sort(deps.begin(), deps.end(), [&](NodeId x, NodeId y) { return graph.node(x).depth > graph.node(y).depth; });
    for (std::size_t k = 0; k < deps.size(); ++k) {
      std::vector<bool> columns = e.columns;
      columns.push_back(k == 0);
      queue.push_back({deps[k], std::move(columns)});
    }
  }
  return Value::none();
}

// What a plan says before it runs.
class PlanObject final : public runtime::NativeObject {
 public:
  explicit PlanObject(ir::Plan plan) : plan_(std::move(plan)) {}
  std::string native_type() const override { return "Plan"; }
  std::vector<std::string> attribute_names() const override {
    return {"peak_bytes", "argument_bytes", "flops", "bytes", "num_steps"};
  }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    if (name == "peak_bytes" || name == "argument_bytes") {
      result = Value::integer(name == "peak_bytes" ? plan_.peak_bytes : plan_.argument_bytes);
    } else if (name == "num_steps") {
      result = Value::integer(static_cast<std::int64_t>(plan_.steps.size()));
    } else if (name == "flops" || name == "bytes") {
      ir::Cost total;
      for (const ir::Step& step : plan_.steps) {
        ir::Cost one = ir::cost(plan_.block, step.node);
        total.flops += one.flops;
        total.bytes += one.bytes;
      }
      result = Value::real(name == "flops" ? total.flops : total.bytes);
    } else {
      return false;
    }
    return true;
  }
  std::string repr() const override { return plan_.text(); }

 private:
  ir::Plan plan_;
};

Value plan_method(Runtime&, const Value& self, const Arguments&) {
  auto& lazy = self.as<LazyArray>();
  const NodeId roots[] = {lazy.node()};
  return make<PlanObject>(runtime::prepare(*lazy.recorder, roots).plan);
}
Value history_flops(Runtime&, const Value& self, const Arguments&) {
  auto& lazy = self.as<LazyArray>();
  const NodeId roots[] = {lazy.node()};
  ir::LargeVector<NodeId> arguments;
  ir::Block block = ir::extract(lazy.recorder->graph(), roots, arguments);
  double flops = 0;
  for (ir::Index i = 0; i < block.nodes.size(); ++i) flops += ir::cost(block, i).flops;
  return Value::real(flops);
}

// ---- methods ----

Value method_compute(Runtime& runtime, const Value& self, const Arguments&) { return lazy_compute(runtime, self); }
Value method_ascend(Runtime& runtime, const Value& self, const Arguments&) { return lazy_ascend(runtime, self); }
Value method_descend(Runtime& runtime, const Value& self, const Arguments&) { return lazy_descend(runtime, self); }
Value method_constants(Runtime& runtime, const Value& self, const Arguments& a) {
  const Value* variables = a.positional.empty() ? keyword(a, "variables") : &a.positional[0];
  if (!variables) throw Error(ErrorClass::TypeError, "compute_constants() missing 1 required argument: 'variables'");
  return lazy_compute_constants(runtime, self, *variables);
}
Value method_source(Runtime& runtime, const Value& self, const Arguments&) { return lazy_source(runtime, self); }
Value method_function(Runtime& runtime, const Value& self, const Arguments& a) {
  check_keywords(a, "get_function", {"variables", "fold_constants"});
  const Value* variables = a.positional.empty() ? keyword(a, "variables") : &a.positional[0];
  const Value* fold = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "fold_constants");
  if (!variables) throw Error(ErrorClass::TypeError, "get_function() missing 1 required argument: 'variables'");
  return make<runtime::LazyFunction>(recorder_of(runtime), lazy_nodes(*variables), self, !fold || truth(runtime, *fold));
}
Value method_set(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "fill", 1, 1);
  recorder_of(runtime).set_item(self.as<LazyArray>(), Value::ellipsis(), a.positional[0]);
  return Value::none();
}
Value method_no_value(Runtime&, const Value&, const Arguments&) { value_needed("the value"); }

using LazyMethod = Value (*)(Runtime&, const Value& self, const Arguments&);
struct Row {
  std::string_view name;
  LazyMethod method;
};
constexpr Row kMethods[] = {{"compute", method_compute},
                            {"compute_constants", method_constants},
                            {"ascend", method_ascend},
                            {"descend", method_descend},
                            {"get_source", method_source},
                            {"get_function", method_function},
                            {"plan", plan_method},
                            {"show", show},
                            {"fill", method_set},
                            {"item", method_no_value},
                            {"tolist", method_no_value},
                            {"history_num_nodes", history_num_nodes},
                            {"history_max_size", history_max_size},
                            {"history_size_footprint", history_size_footprint},
                            {"history_peak_size", history_peak_size},
                            {"history_total_size", history_total_size},
                            {"history_max_bytes", history_max_bytes},
                            {"history_total_bytes", history_total_bytes},
                            {"history_flops", history_flops},
                            {"history_stats", history_stats},
                            {"history_fn_frequencies", history_fn_frequencies}};

constexpr std::string_view kAttributes[] = {"shape", "ndim",  "size", "dtype", "itemsize", "nbytes", "backend", "fn_name",
                                            "deps",  "depth", "T",    "H",     "mT",       "real",   "imag",    "name"};

class BoundLazyMethod final : public runtime::Callable {
 public:
  BoundLazyMethod(Value self, LazyMethod method, std::string_view name)
      : self_(std::move(self)), method_(method), name_(name) {}
  Value call(Runtime& runtime, const Arguments& a) override { return method_(runtime, self_, a); }
  std::string callable_name() const override { return std::string(name_); }
  void clear() override { self_.clear(); }

 private:
  Value self_;
  LazyMethod method_;
  std::string_view name_;
};

Value op_call(Runtime& runtime, std::string_view op, std::vector<Value> arguments) {
  return runtime.call(ir::find_op(op), runtime::kLazy, {arguments, {}, {}});
}

}  // namespace

bool lazy_method(Runtime& runtime, const Value& self, std::string_view name, const Arguments& a, Value& result) {
  for (const Row& row : kMethods)
    if (row.name == name) {
      result = row.method(runtime, self, a);
      return true;
    }
  for (const PlotMethod& row : plot_methods())
    if (row.name == name) {
      result = row.method(runtime, self, a);
      return true;
    }
  return false;
}

bool lazy_attribute(Runtime& runtime, const Value& self, std::string_view name, Value& result) {
  auto& lazy = self.as<LazyArray>();
  ir::Graph& graph = lazy.recorder->graph();
  NodeId id = lazy.node();
  const ir::Node& node = graph.node(id);
  const ir::Type& type = graph.type(id);
  if (name == "shape") {
    std::vector<Value> items;
    for (std::int64_t d : type.shape) items.push_back(Value::integer(d));
    result = runtime::make_tuple(std::move(items));
  } else if (name == "ndim") {
    result = Value::integer(type.shape.ssize());
  } else if (name == "size") {
    result = Value::integer(ir::element_count(type.shape));
  } else if (name == "dtype") {
    result = runtime::make_dtype(type.dtype);
  } else if (name == "itemsize") {
    result = Value::integer(static_cast<std::int64_t>(ir::itemsize(type.dtype)));
  } else if (name == "nbytes") {
    result = Value::integer(bytes_of(lazy, id));
  } else if (name == "backend") {
    result = runtime::make_str(std::string(runtime.backend_name(node.backend)));
  } else if (name == "fn_name") {
    result = runtime::make_str(std::string(ir::label(node)));
  } else if (name == "name") {
    result = runtime::make_str(std::string(graph.tables().names.text(node.name)));
  } else if (name == "depth") {
    result = Value::integer(node.depth);
  } else if (name == "deps") {
    std::vector<Value> items;
    for (NodeId input : node.inputs()) {
      if (input == ir::kNoNode || graph.node(input).hidden()) continue;
      graph.retain(input);
      items.push_back(lazy.recorder->wrap(input));
    }
    result = runtime::make_tuple(std::move(items));
  } else if (name == "T") {
    result = op_call(runtime, "transpose", {self});
  } else if (name == "H") {
    result = op_call(runtime, "conjugate", {op_call(runtime, "transpose", {self})});
  } else if (name == "mT") {
    if (type.shape.size() < 2) throw Error(ErrorClass::ValueError, "matrix transpose with ndim < 2 is undefined");
    result = op_call(runtime, "swapaxes", {self, Value::integer(-1), Value::integer(-2)});
  } else if (name == "real" || name == "imag") {
    result = op_call(runtime, name, {self});
  } else {
    for (const Row& row : kMethods)
      if (row.name == name) {
        result = make<BoundLazyMethod>(self, row.method, row.name);
        return true;
      }
    for (const PlotMethod& row : plot_methods())
      if (row.name == name) {
        result = make<BoundLazyMethod>(self, row.method, row.name);
        return true;
      }
    // What arrays can do too: reshape, sum, astype ...
    return array_method(runtime, self, name, result);
  }
  return true;
}

std::vector<std::string_view> lazy_attribute_names() {
  std::vector<std::string_view> names(std::begin(kAttributes), std::end(kAttributes));
  for (const Row& row : kMethods) names.push_back(row.name);
  for (const PlotMethod& row : plot_methods()) names.push_back(row.name);
  for (const ir::Op& op : ir::all_ops())
    if (op.has(ir::kMethod)) names.push_back(op.path);
  return names;
}

}  // namespace autoray::frontend
