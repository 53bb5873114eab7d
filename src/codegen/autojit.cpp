#include "codegen/autojit.h"

#include <algorithm>
#include <chrono>

#include "codegen/builder.h"
#include "codegen/native_plan.h"
#include "codegen/specialisation.h"
#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/executor.h"
#include "runtime/lazy/function.h"
#include "runtime/memory_order.h"

namespace autoray::codegen {

using ir::Error;
using ir::ErrorClass;
using ir::Index;
using ir::Kind;
using ir::NodeId;
using ir::NodeKind;
using runtime::Arguments;
using runtime::Array;
using runtime::ArrayObject;
using runtime::LazyArray;
using runtime::ObjectKind;
using runtime::Recorder;
using runtime::Ref;
using runtime::Runtime;
using runtime::Value;

// What a call's arguments are, leaf by leaf.
struct AutoJit::Reading {
  std::string key;
  struct Leaf {
    Value value;
    bool traced = false;  // an array, a numpy scalar, a float
    int same_as = -1;     // an earlier leaf with the very same elements
  };
  std::vector<Leaf> leaves;
  std::vector<std::string> parts;  // the key in readable pieces, made only for explanations
  bool overlap = false;            // two arrays share some of their memory
  bool lazy = false;               // an argument is a graph's
  JitBackend backend = JitBackend::Native;
};

namespace {

constexpr int kDeepest = 200;

template <class T>
void put(std::string& key, const T& value) {
  key.append(reinterpret_cast<const char*>(&value), sizeof value);
}

Array leaf_array(Runtime& runtime, const Value& v) {
  if (auto* a = v.get_if<ArrayObject>()) return a->array;
  return runtime::to_array(runtime, v);
}

// Output while tracing would be lost, or come twice.
struct SilentTrace {
  SilentTrace(Runtime& r, Recorder& rec) : runtime(r), recorder(rec), saved(r.write_stdout) {
    runtime.write_stdout = [](std::string_view) {
      throw Error(ErrorClass::NotImplementedError, "a traced function prints").with_code(202);
    };
    ++recorder.tracing;
  }
  ~SilentTrace() {
    runtime.write_stdout = std::move(saved);
    --recorder.tracing;
  }
  Runtime& runtime;
  Recorder& recorder;
  std::function<void(std::string_view)> saved;
};

NodeId memory_of(const ir::Graph& graph, NodeId id) {
  for (;;) {
    const ir::Node& n = graph.node(id);
    if (n.kind != NodeKind::Call || !ir::op(n.op).has(ir::kViewResult) || n.count != 1) return id;
    id = n.few[0];
  }
}

}  // namespace

AutoJit::AutoJit(std::shared_ptr<Jit> jit, Value function, JitBackend backend)
    : jit_(std::move(jit)), function_(std::move(function)), backend_(backend) {
  name_ = function_.as<Callable>().callable_name();
}
AutoJit::~AutoJit() = default;

void AutoJit::clear() {
  function_.clear();
  known_.clear();
}

// ---- reading a call ----

namespace {

struct Reader {
  Runtime& runtime;
  std::string& key;
  std::vector<std::string>* parts;
  bool floats_static = false;

  void part(std::string text) {
    if (parts) parts->push_back(std::move(text));
  }
};

}  // namespace

// The key and the leaves of one value. Containers are read in order; dictionaries with their keys.
static void read_value(Reader& r, const Value& v, auto& leaves, bool& lazy, int depth) {
  if (depth > kDeepest) throw Error(ErrorClass::RecursionError, "containers are nested too deeply, or contain themselves");
  auto deeper = [&](const Value& item) { read_value(r, item, leaves, lazy, depth + 1); };
  if (auto* list = v.get_if<runtime::List>()) {
    r.key += '[';
    put(r.key, list->items.size());
    for (const Value& item : list->items) deeper(item);
    return;
  }
  if (auto* tuple = v.get_if<runtime::Tuple>()) {
    r.key += '(';
    put(r.key, tuple->items.size());
    for (const Value& item : tuple->items) deeper(item);
    return;
  }
  if (auto* dict = v.get_if<runtime::Dict>()) {
    r.key += '{';
    put(r.key, dict->size());
    for (auto& entry : dict->entries()) {
      if (entry.key.empty()) continue;
      // A name is part of the key alone.
      std::size_t before = leaves.size();
      deeper(entry.key);
      leaves.resize(before);
      deeper(entry.value);
    }
    return;
  }
  leaves.push_back({v});
  auto& leaf = leaves.back();
  if (auto* a = v.get_if<ArrayObject>()) {
    const Array& array = a->array;
    leaf.traced = true;
    r.key += 'A';
    put(r.key, array.dtype);
    put(r.key, array.backend);
    put(r.key, array.can_write());
    put(r.key, array.shape.size());
    r.key.append(reinterpret_cast<const char*>(array.shape.data()), array.shape.size() * sizeof(std::int64_t));
    r.key.append(reinterpret_cast<const char*>(array.strides.data()), array.strides.size() * sizeof(std::int64_t));
    if (r.parts) {
      std::string strides = array.c_contiguous() ? "" : " strides " + ir::to_string(array.strides);
      r.part(ir::to_string(array.type()) + strides);
    }
    return;
  }
  if (auto* s = v.get_if<runtime::NumpyScalar>()) {
    leaf.traced = true;
    r.key += 'S';
    put(r.key, s->dtype);
    r.part(std::string(ir::name(s->dtype)) + " scalar");
    return;
  }
  if (v.is_float()) {
    leaf.traced = !r.floats_static;
    r.key += r.floats_static ? 'F' : 'f';
    if (r.floats_static) put(r.key, v.as_float());
    r.part(r.floats_static ? "float " + std::to_string(v.as_float()) : "float");
    return;
  }
  lazy = lazy || v.is(ObjectKind::Lazy);
  if (auto* text = v.get_if<runtime::Str>()) {
    r.key += 's';
    put(r.key, text->text.size());
    r.key += text->text;
    r.part("'" + text->text + "'");
    return;
  }
  if (auto* c = v.get_if<runtime::Complex>()) {
    r.key += 'c';
    put(r.key, c->value);
    r.part("complex");
    return;
  }
  // None, bool and int by value; other objects by identity (the key's owner keeps them alive through its tree).
  r.key += 'v';
  put(r.key, v.tag());
  std::int64_t bits = v.is_object() ? reinterpret_cast<std::int64_t>(v.object())
                      : v.is_bool() ? v.as_bool()
                      : v.is_int()  ? v.as_int()
                                    : 0;
  put(r.key, bits);
  if (r.parts)
    r.part(v.is_int() ? std::to_string(v.as_int()) : v.is_bool() ? (v.as_bool() ? "True" : "False") : runtime::type_name(v));
}

AutoJit::Reading AutoJit::read(Runtime& runtime, const Arguments& arguments, JitBackend backend, bool floats_static) const {
  Reading reading;
  reading.backend = backend;
  reading.key.reserve(256);
  reading.key += static_cast<char>(backend);
  reading.key += static_cast<char>(floats_static);
  Reader reader{runtime, reading.key, runtime.on_explain ? &reading.parts : nullptr, floats_static};
  put(reading.key, arguments.positional.size());
  for (const Value& v : arguments.positional) read_value(reader, v, reading.leaves, reading.lazy, 0);
  for (std::size_t i = 0; i < arguments.keyword_names.size(); ++i) {
    reading.key += 'k';
    put(reading.key, arguments.keyword_names[i].size());
    reading.key += arguments.keyword_names[i];
    read_value(reader, arguments.keyword_values[i], reading.leaves, reading.lazy, 0);
  }
  if (reading.lazy) return reading;
  // Which arrays are one, and which overlap.
  for (std::size_t i = 0; i < reading.leaves.size(); ++i) {
    auto* a = reading.leaves[i].value.get_if<ArrayObject>();
    if (!a) continue;
    for (std::size_t k = 0; k < i; ++k) {
      auto* b = reading.leaves[k].value.get_if<ArrayObject>();
      if (!b || a->array.storage.get() != b->array.storage.get()) continue;
      const Array &x = a->array, &y = b->array;
      if (x.data == y.data && x.dtype == y.dtype && x.shape == y.shape && x.strides == y.strides) {
        reading.leaves[i].same_as = static_cast<int>(k);
        reading.key += '=';
        put(reading.key, i);
        put(reading.key, k);
        break;
      }
      if (runtime::may_overlap(x, y)) reading.overlap = true;
    }
  }
  if (reading.overlap) reading.key += '~';
  return reading;
}

std::shared_ptr<const Specialisation> AutoJit::specialise(Runtime& runtime, const Arguments& arguments) {
  for (bool floats_static : {false, true}) {
    Reading reading = read(runtime, arguments, backend_, floats_static);
    if (auto spec = trace(runtime, arguments, reading, floats_static)) {
      spec->floats_static = floats_static;
      return spec;
    }
  }
  throw Error(ErrorClass::SystemError, "code generation: a trace without floats needs the value of one");
}

// ---- a call ----

Value AutoJit::call(Runtime& runtime, const Arguments& given) {
  // `backend=` belongs to the call, not to fn.
  Arguments arguments = given;
  ir::SmallVector<std::string_view, 4> names;
  std::vector<Value> values;
  JitBackend backend = backend_;
  for (std::size_t i = 0; i < given.keyword_names.size(); ++i) {
    if (given.keyword_names[i] != "backend") continue;
    const std::string& text = runtime::text_of(given.keyword_values[i], "backend");
    if (text == "native")
      backend = JitBackend::Native;
    else if (text == "plan" || text == "python")
      backend = JitBackend::Plan;
    else
      throw Error(ErrorClass::ValueError, "autojit has no backend '" + text + "'")
          .with_hint("the backends are native and plan");
    for (std::size_t k = 0; k < given.keyword_names.size(); ++k) {
      if (k == i) continue;
      names.push_back(given.keyword_names[k]);
      values.push_back(given.keyword_values[k]);
    }
    arguments.keyword_names = names;
    arguments.keyword_values = values;
    break;
  }
  auto& function = function_.as<Callable>();
  Recorder& recorder = runtime.recorder();
  if (recorder.tracing) return function.call(runtime, arguments);

  bool floats_static = false;
  for (;;) {
    Reading reading = read(runtime, arguments, backend, floats_static);
    if (reading.lazy) return function.call(runtime, arguments);
    auto found = known_.find(reading.key);
    if (found != known_.end()) {
      if (runtime.on_explain)
        explain(runtime, reading, found->second->plain.empty() ? "hit" : "plain call",
                found->second->plain.empty() ? found->second->note : found->second->plain);
    } else {
      auto begin = std::chrono::steady_clock::now();
      auto spec = trace(runtime, arguments, reading, floats_static);
      compile_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      if (!spec) {
        // The trace needs the value of a float: it becomes part of the key.
        floats_static = true;
        continue;
      }
      std::string why = "compiled";
      if (runtime.on_explain) {
        if (!spec->plain.empty()) {
          why = "plain call";
        } else if (!last_parts_.empty()) {
          std::string differs;
          for (std::size_t i = 0; i < std::max(reading.parts.size(), last_parts_.size()); ++i) {
            std::string before = i < last_parts_.size() ? last_parts_[i] : "nothing",
                        now = i < reading.parts.size() ? reading.parts[i] : "nothing";
            if (before == now) continue;
            differs = "argument " + std::to_string(i) + " was " + before + ", is " + now;
            break;
          }
          why += differs.empty() ? ": another key" : ": " + differs;
        }
        explain(runtime, reading, why, spec->plain.empty() ? spec->note : spec->plain);
      }
      found = known_.emplace(reading.key, std::move(spec)).first;
    }
    if (runtime.on_explain) last_parts_ = reading.parts;
    std::shared_ptr<Specialisation> spec = found->second;
    if (spec->first_result) {
      spec->first_result = false;
      Value result = std::move(spec->tree);
      bool whole = std::all_of(spec->leaves.begin(), spec->leaves.end(), [](const auto& leaf) { return leaf.argument < 0; });
      if (whole) return result;
      std::size_t next = 0;
      // An argument that comes back is the caller's own.
      return runtime::map_leaves(result, [&](const Value& v) {
        const Specialisation::Leaf& leaf = spec->leaves[next++];
        return leaf.argument >= 0 ? reading.leaves[static_cast<std::size_t>(leaf.argument)].value : v;
      });
    }
    if (!spec->plain.empty()) return function.call(runtime, arguments);
    for (auto [id, op] : spec->dispatched)
      if (runtime.entry(id, op).registered) {
        known_.erase(found);
        return call(runtime, given);
      }
    return run(runtime, *spec, arguments, reading);
  }
}

void AutoJit::explain(Runtime& runtime, const Reading& reading, const std::string& what, const std::string& how) const {
  std::string operands;
  for (const std::string& p : reading.parts) operands += (operands.empty() ? "" : ", ") + p;
  runtime.on_explain({"autojit " + name_, operands, reading.backend == JitBackend::Native ? "native" : "plan", how, what});
}

// ---- tracing ----

std::shared_ptr<Specialisation> AutoJit::trace(Runtime& runtime, const Arguments& arguments, const Reading& reading,
                                               bool floats_static) {
  auto spec = std::make_shared<Specialisation>();
  for (const auto& leaf : reading.leaves)
    if (!leaf.traced && leaf.value.is_object()) spec->held.push_back(leaf.value);
  Recorder& recorder = runtime.recorder();
  ir::Graph& graph = recorder.graph();
  std::vector<Ref<LazyArray>> leaves;  // by leaf; null where it is not traced
  std::vector<NodeId> leaf_nodes;
  auto lazy_of = [&](std::size_t i) -> Value {
    const auto& leaf = reading.leaves[i];
    if (leaf.same_as >= 0) return leaves[static_cast<std::size_t>(leaf.same_as)];
    Array array = leaf_array(runtime, leaf.value);
    Kind kind = leaf.value.is_float() ? Kind::Weak : leaf.value.is(ObjectKind::NumpyScalar) ? Kind::Scalar : Kind::Array;
    return recorder.argument(array, kind);
  };
  std::size_t next = 0;
  auto replace = [&](const Value& v) -> Value {
    std::size_t i = next++;
    leaves.emplace_back();
    leaf_nodes.push_back(ir::kNoNode);
    if (!reading.leaves[i].traced) return v;
    Value lazy = lazy_of(i);
    leaves[i] = Ref<LazyArray>::share(&lazy.as<LazyArray>());
    leaf_nodes[i] = leaves[i]->node();
    return lazy;
  };
  // Held for the whole trace: a node's number must not come back for another one.
  std::vector<NodeId> roots;
  Value result;
  try {
    SilentTrace silent(runtime, recorder);
    std::vector<Value> positional, keyword_values;
    for (const Value& v : arguments.positional) positional.push_back(runtime::map_leaves(v, replace));
    for (const Value& v : arguments.keyword_values) keyword_values.push_back(runtime::map_leaves(v, replace));
    result = function_.as<Callable>().call(runtime, {positional, arguments.keyword_names, keyword_values});
    std::vector<int> shared;
    runtime::for_each_leaf(result, [&](const Value& v) {
      Specialisation::Leaf leaf;
      if (auto* lazy = v.get_if<LazyArray>()) {
        NodeId node = lazy->node();
        leaf.kind = graph.type(node).kind;
        for (std::size_t i = 0; i < leaf_nodes.size(); ++i)
          if (!reading.leaves[i].value.is_float() && lazy == leaves[i].get())  // written to or not
            leaf.argument = static_cast<int>(i);
        if (leaf.argument < 0) {
          leaf.result = static_cast<int>(roots.size());
          graph.retain(node);
          roots.push_back(node);
        }
      }
      spec->leaves.push_back(leaf);
    });
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (!leaves[i] || reading.leaves[i].same_as >= 0 || leaves[i]->node() == leaf_nodes[i]) continue;
      spec->written.emplace_back(static_cast<int>(roots.size()), static_cast<int>(i));
      graph.retain(leaves[i]->node());
      roots.push_back(leaves[i]->node());
    }
  } catch (const Error& error) {
    for (NodeId id : roots) graph.release(id);
    recorder.forget_draws();
    // The value of something that is traced was needed: perhaps of a float.
    bool has_float =
        std::any_of(reading.leaves.begin(), reading.leaves.end(), [](const auto& leaf) { return leaf.value.is_float(); });
    if (error.code() == 405 || error.code() == 202) {
      if (!floats_static && has_float) return nullptr;
      if (reading.backend == JitBackend::Object) throw;
      if (error.code() == 405 && error.message().starts_with("the truth value")) throw;
      spec->plain = error.message();
      return spec;
    }
    throw;
  } catch (const runtime::Raised& raised) {
    for (NodeId id : roots) graph.release(id);
    recorder.forget_draws();
    auto* exception = raised.exception.get_if<runtime::Exception>();
    bool has_float =
        std::any_of(reading.leaves.begin(), reading.leaves.end(), [](const auto& leaf) { return leaf.value.is_float(); });
    if (exception && (exception->code == 405 || exception->code == 202)) {
      if (!floats_static && has_float) return nullptr;
      if (reading.backend == JitBackend::Object) throw;
      std::string message = exception->args.empty() ? std::string() : runtime::text_of(exception->args[0], "message");
      if (message.find("truth value") != std::string::npos) throw;
      spec->plain = message;
      return spec;
    }
    throw;
  }
  if (roots.empty()) {
    // What it did is done: later calls are plain, and this one has its result.
    spec->plain = "nothing is computed on arrays";
    spec->tree = std::move(result);
    spec->first_result = true;
    recorder.forget_draws();
    return spec;
  }
  struct Release {
    ir::Graph& graph;
    std::vector<NodeId>& nodes;
    ~Release() {
      for (NodeId id : nodes) graph.release(id);
    }
  } release{graph, roots};
  if (reading.overlap && !spec->written.empty()) {
    spec->plain = "arguments overlap and one of them is written";
    recorder.forget_draws();
    return spec;
  }
  std::vector<NodeId> argument_nodes, ids;
  ir::Block block = ir::extract(graph, roots, argument_nodes, &ids);
  std::vector<NodeId> owners;
  for (NodeId id : roots) owners.push_back(memory_of(graph, id));
  bool weak_arithmetic = false;
  for (Index i = 0; i < block.nodes.size(); ++i) {
    ir::BlockNode& n = block.nodes[i];
    if (n.kind != NodeKind::Call) continue;
    if (ir::op(n.op).has(ir::kRandom)) {
      block.results.push_back(i);
      spec->random = true;
    }
    // Arithmetic of Python floats alone is Python's own: its result is a float, and its errors are Python's.
    bool all_weak = n.input_count > 0, variable = false;
    for (Index x : block.inputs(i)) {
      all_weak = all_weak && x != ir::kNoIndex && block.type(x).kind == Kind::Weak;
      variable = variable || (x != ir::kNoIndex && block.nodes[x].kind == NodeKind::Variable);
    }
    weak_arithmetic = weak_arithmetic || (all_weak && variable);
    if (n.dispatched) {
      auto entry = std::pair{static_cast<runtime::BackendId>(n.backend), n.op};
      if (runtime.entry(entry.first, entry.second).registered) continue;
      n.dispatched = false;
      if (std::find(spec->dispatched.begin(), spec->dispatched.end(), entry) == spec->dispatched.end())
        spec->dispatched.push_back(entry);
    }
  }
  recorder.forget_draws();
  if (weak_arithmetic && !floats_static) return nullptr;
  std::vector<NodeId> known_scalars;
  std::vector<ArgumentInfo> infos;
  std::vector<ir::Placement> layouts;
  for (NodeId id : argument_nodes) {
    const ir::Node& node = graph.node(id);
    auto leaf = std::find(leaf_nodes.begin(), leaf_nodes.end(), id);
    bool given = leaf != leaf_nodes.end();
    spec->argument_leaf.push_back(given ? static_cast<int>(leaf - leaf_nodes.begin()) : -1);
    if (!given && node.kind == NodeKind::Variable)
      throw Error(ErrorClass::ValueError, "the traced function depends on a Variable without a value").with_code(405);
    spec->captured.push_back(given ? Array() : recorder.owned_array(id));
    // What becomes data of an object is dense.
    if (Array& own = spec->captured.back(); reading.backend == JitBackend::Object && own.data && !own.c_contiguous())
      own = runtime::converted(runtime, own, own.dtype);
    bool scalar = !given && node.kind == NodeKind::Constant && graph.type(id).shape.empty();
    known_scalars.push_back(scalar ? id : ir::kNoNode);
    ArgumentInfo info;
    const Array array = given ? leaf_array(runtime, reading.leaves[static_cast<std::size_t>(spec->argument_leaf.back())].value)
                              : spec->captured.back();
    if (node.kind != NodeKind::State) info.strides = array.strides;
    layouts.push_back({runtime::plan_layout(array)});
    infos.push_back(info);
  }
  ir::run_passes(block, runtime::pass_context(recorder, known_scalars));
  for (std::size_t a = 0; a < infos.size(); ++a)
    if (known_scalars[a] != ir::kNoNode) infos[a].constant = &spec->captured[a];
  bool registered = std::any_of(block.nodes.begin(), block.nodes.end(), [](const ir::BlockNode& n) { return n.dispatched; });
  if (reading.backend != JitBackend::Plan && !registered) {
    spec->program = build_program(runtime, reading.backend == JitBackend::Native ? jit_.get() : nullptr, block, infos);
    std::size_t calls = spec->program->calls.size();
    spec->note = std::to_string(spec->program->steps.size()) + " steps, " + std::to_string(spec->program->kernels.size()) +
                 " kernels, " + std::to_string(spec->program->fresh_kernels) + " new";
    explain_calls(runtime, *spec->program);
    if (calls) spec->note += ", " + std::to_string(calls) + " calls of the runtime";
  } else if (registered) {
    spec->note = "a registered function takes part: the plan runs";
  }
  // What passes merged stays apart for the caller.
  auto shares = [&](std::size_t r, std::size_t q) {
    Index x = block.results[r], y = block.results[q];
    if (x == y) return true;
    if (!spec->program) return true;  // the plan decides while it runs: compared there
    return spec->program->results[r].place.home == spec->program->results[q].place.home &&
           spec->program->results[r].place.number == spec->program->results[q].place.number;
  };
  for (Specialisation::Leaf& leaf : spec->leaves) {
    if (leaf.result < 0) continue;
    auto r = static_cast<std::size_t>(leaf.result);
    for (std::size_t q = 0; q < r; ++q)
      if (owners[q] != owners[r] && shares(r, q)) leaf.copy = true;
    if (spec->program) {
      const Located& place = spec->program->results[r];
      if (place.place.home == Home::Argument && owners[r] != argument_nodes[place.place.number]) leaf.copy = true;
    } else if (block.nodes[block.results[r]].kind != NodeKind::Call || owners[r] != roots[r]) {
      leaf.copy = std::find(argument_nodes.begin(), argument_nodes.end(), owners[r]) == argument_nodes.end();
    }
  }
  spec->plan = std::make_unique<ir::Plan>(ir::make_plan(std::move(block), layouts));
  // The tree keeps the places of results, not the graph.
  spec->tree = runtime::map_leaves(result, [](const Value& v) { return v.is(ObjectKind::Lazy) ? Value::none() : v; });
  return spec;
}

// ---- running ----

Value AutoJit::run(Runtime& runtime, const Specialisation& spec, const Arguments&, const Reading& reading) {
  std::vector<Array> given, results;
  given.reserve(spec.argument_leaf.size());
  for (std::size_t a = 0; a < spec.argument_leaf.size(); ++a)
    given.push_back(spec.argument_leaf[a] < 0
                        ? spec.captured[a]
                        : leaf_array(runtime, reading.leaves[static_cast<std::size_t>(spec.argument_leaf[a])].value));
  if (spec.program) {
    bool events = false;
    spec.program->run(runtime, given, results, events);
    if (events) {
      // Which operation was it? The plan, call by call, says so as numpy does; a draw cannot be done twice.
      unsigned flags = _mm_getcsr() & runtime::kFpEvents;
      runtime.clear_fp();
      bool raises = runtime.fp_state.divide == runtime::FpAction::Raise || runtime.fp_state.over == runtime::FpAction::Raise ||
                    runtime.fp_state.under == runtime::FpAction::Raise || runtime.fp_state.invalid == runtime::FpAction::Raise;
      if (!spec.random && (raises || !spec.told || (flags & ~spec.told))) {
        runtime::run_plan(runtime, *spec.plan, given);
        spec.told |= flags | 0x8000u;
      }
    }
  } else {
    results = runtime::run_plan(runtime, *spec.plan, given);
  }
  // What has memory of its own eagerly is taken out before arguments change.
  for (const Specialisation::Leaf& leaf : spec.leaves)
    if (leaf.copy) {
      Array& result = results[static_cast<std::size_t>(leaf.result)];
      result = runtime::converted(runtime, result, result.dtype);
    }
  for (auto [result, leaf] : spec.written) {
    Array& target = reading.leaves[static_cast<std::size_t>(leaf)].value.as<ArrayObject>().array;
    runtime::copy_into(runtime, results[static_cast<std::size_t>(result)], target);
    if (target.storage) target.storage->bump_version();
  }
  std::size_t next = 0;
  return runtime::map_leaves(spec.tree, [&](const Value& v) -> Value {
    const Specialisation::Leaf& leaf = spec.leaves[next++];
    if (leaf.argument >= 0) return reading.leaves[static_cast<std::size_t>(leaf.argument)].value;
    if (leaf.result < 0) return v;
    return runtime::from_kind(std::move(results[static_cast<std::size_t>(leaf.result)]), leaf.kind);
  });
}

bool AutoJit::get_attribute(Runtime& runtime, std::string_view name, Value& result) {
  if (name == "__wrapped__") {
    result = function_;
    return true;
  }
  if (name == "compile_seconds") {
    result = Value::real(compile_seconds_);
    return true;
  }
  if (name == "program_text" || name == "llvm_text") {
    std::string text;
    for (auto& [key, spec] : known_) {
      if (!spec->program) continue;
      std::vector<const Kernel*> kernels;
      for (const Kernel& k : spec->program->sources) kernels.push_back(&k);
      text += name == "program_text" ? spec->program->text() : jit_->llvm_text(kernels);
    }
    result = runtime::make_str(text);
    return true;
  }
  return function_.as<Callable>().get_attribute(runtime, name, result);
}
bool AutoJit::set_attribute(Runtime& runtime, std::string_view name, const Value& value) {
  return function_.as<Callable>().set_attribute(runtime, name, value);
}

// ---- autojit(...) ----

Value make_autojit_function(std::shared_ptr<Jit> jit) {
  return runtime::make_native("autojit", [jit](Runtime&, const Arguments& a) -> Value {
    JitBackend backend = JitBackend::Native;
    Value function;
    if (a.positional.size() > 1) throw Error(ErrorClass::TypeError, "autojit() takes one function");
    if (!a.positional.empty()) function = a.positional[0];
    for (std::size_t i = 0; i < a.keyword_names.size(); ++i) {
      const Value& v = a.keyword_values[i];
      if (a.keyword_names[i] == "fn") {
        function = v;
      } else if (a.keyword_names[i] == "backend") {
        if (v.is_none()) continue;
        const std::string& text = runtime::text_of(v, "backend");
        if (text == "plan" || text == "python")
          backend = JitBackend::Plan;
        else if (text != "native")
          throw Error(ErrorClass::ValueError, "autojit has no backend '" + text + "'")
              .with_hint("the backends are native and plan");
      } else if (a.keyword_names[i] != "compiler_opts") {
        throw Error(ErrorClass::TypeError,
                    "autojit() got an unexpected keyword argument '" + std::string(a.keyword_names[i]) + "'");
      }
    }
    auto compiled = [jit, backend](const Value& f) -> Value {
      if (!f.is(ObjectKind::Callable))
        throw Error(ErrorClass::TypeError, "autojit() takes a function, not " + runtime::type_name(f));
      return runtime::make<AutoJit>(jit, f, backend);
    };
    if (!function.empty() && !function.is_none()) return compiled(function);
    return runtime::make_native("autojit", [compiled](Runtime&, const Arguments& b) -> Value {
      if (b.positional.size() != 1 || !b.keyword_names.empty())
        throw Error(ErrorClass::TypeError, "autojit() takes one function");
      return compiled(b.positional[0]);
    });
  });
}

}  // namespace autoray::codegen
